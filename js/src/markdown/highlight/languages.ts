/** The languages that have colours, by the names that people and models write after a fence. */

import { c, cpp, csharp, dart, java, kotlin, objectiveC, scala } from "@codemirror/legacy-modes/mode/clike";
import { diff } from "@codemirror/legacy-modes/mode/diff";
import { dockerFile } from "@codemirror/legacy-modes/mode/dockerfile";
import { go } from "@codemirror/legacy-modes/mode/go";
import { julia } from "@codemirror/legacy-modes/mode/julia";
import { lua } from "@codemirror/legacy-modes/mode/lua";
import { powerShell } from "@codemirror/legacy-modes/mode/powershell";
import { cython, python } from "@codemirror/legacy-modes/mode/python";
import { r } from "@codemirror/legacy-modes/mode/r";
import { ruby } from "@codemirror/legacy-modes/mode/ruby";
import { rust } from "@codemirror/legacy-modes/mode/rust";
import { shell } from "@codemirror/legacy-modes/mode/shell";
import { toml } from "@codemirror/legacy-modes/mode/toml";
import { xml } from "@codemirror/legacy-modes/mode/xml";
import type { StreamParser } from "@codemirror/streamparser";
import { html } from "./html.ts";
import { markdown } from "./markdown.ts";
import { css, javascript, json, less, scss, typescript } from "./settled.ts";
import { mysql, sql } from "./sql.ts";
import { yaml } from "./yaml.ts";

// Each mode has a state of its own type, which nobody but itself looks into.
type Mode = StreamParser<unknown>;

const LANGUAGES: readonly (readonly [names: string, mode: unknown])[] = [
  ["python py python3 py3 ipython ipython3 pycon sage", python],
  ["cython pyx", cython],
  ["r rscript rlang splus", r],
  ["julia jl", julia],
  ["sql ansisql bigquery clickhouse databricks duckdb hive hiveql mssql oracle pgsql plpgsql plsql postgres", sql],
  ["postgresql presto psql redshift snowflake spark-sql sparksql sqlite sqlite3 sqlserver trino tsql t-sql", sql],
  ["mysql mariadb", mysql],
  ["shell sh bash zsh ksh fish dash console terminal shell-session shellsession sh-session bashrc", shell],
  ["javascript js jsx node nodejs mjs cjs es6 ecmascript", javascript],
  ["typescript ts tsx mts cts deno", typescript],
  ["json jsonc json5 jsonl ndjson jsonlines geojson ipynb jsonld", json],
  ["yaml yml", yaml],
  ["html htm xhtml html5 vue svelte", html],
  ["xml svg xsl xslt xsd rss atom mathml plist", xml],
  ["css", css],
  ["scss sass", scss],
  ["less", less],
  ["markdown md mdown mkd mdx gfm", markdown],
  ["c h", c],
  ["cpp c++ cxx cc hpp hh hxx h++ cuda cu arduino ino", cpp],
  ["objc objective-c objectivec", objectiveC],
  ["java", java],
  ["csharp c# cs dotnet", csharp],
  ["kotlin kt kts", kotlin],
  ["scala sbt", scala],
  ["dart", dart],
  ["rust rs", rust],
  ["diff patch udiff", diff],
  ["go golang", go],
  ["toml ini cfg", toml],
  ["dockerfile docker containerfile", dockerFile],
  ["ruby rb irb", ruby],
  ["lua luau", lua],
  ["powershell pwsh ps1 ps posh", powerShell],
];

const MODES: ReadonlyMap<string, Mode> = new Map(
  LANGUAGES.flatMap(([names, mode]) => names.split(" ").map((name) => [name, mode as Mode] as const)),
);

/** The mode for a fence's word, such as `py`, `Python3`, `{r}`, `.js` or `language-sh`; null where there is none. */
export function modeOf(language: string): Mode | null {
  const name = /^[{.]*(?:lang(?:uage)?-)?([^\s{},:;]+)/.exec(language.trim().toLowerCase())?.[1];
  return (name !== undefined && MODES.get(name)) || null;
}
