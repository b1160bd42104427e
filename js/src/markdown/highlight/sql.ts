/** A line mode for SQL in all its dialects: the legacy ones are 36 KB more of the bundle, nearly all of it words. */

import type { StreamParser, StringStream } from "@codemirror/streamparser";

interface State {
  /** What ends the comment or the string that we are in; empty outside. */
  end: string;
}

const KEYWORDS = `add after all alter analyze and any as asc attach auto_increment autoincrement before begin between by
  cascade case check cluster collate column commit constraint create cross cte database declare default delete
  desc describe detach distinct do drop each else elseif end escape except exec execute exists explain fetch filter
  first following for foreign from full function generated go grant group having if ilike in index inner insert
  intersect into is join key language last lateral left like limit loop materialized merge natural next no not nulls of
  offset on only or order outer over partition pivot preceding primary procedure qualify range recursive references
  regexp rename replace restrict return returning returns revoke right rlike rollback row rows sample schema select
  sequence set show similar some sort start table tablesample temp temporary then ties to top transaction trigger
  truncate unbounded union unique unnest unpivot update use using vacuum values view when where while window with
  within without`;
const TYPES = `array bigint bigserial binary bit blob bool boolean bytea char character clob date datetime datetime2
  decimal double enum float float4 float8 geography geometry int int2 int4 int8 integer interval json jsonb long longtext
  map mediumint mediumtext money nchar number numeric nvarchar precision real serial smallint smallserial string struct
  text time timestamp timestamptz tinyint tinytext unsigned uuid varbinary varchar varchar2 variant xml`;
const FUNCTIONS = `abs avg cast ceil ceiling coalesce concat convert count cume_dist date_add date_diff date_format
  date_part date_sub date_trunc dateadd datediff dense_rank extract first_value floor format greatest group_concat
  ifnull isnull json_extract lag last_value lead least length lower ltrim max median min mod now ntile nullif nvl
  percentile_cont position power rank regexp_replace round row_number rtrim sqrt stddev strftime string_agg substr
  substring sum to_char to_date to_timestamp trim try_cast upper variance`;

const ATOMS = "false true null unknown current_date current_time current_timestamp";

const words: ReadonlyMap<string, string> = new Map(
  Object.entries({ keyword: KEYWORDS, type: TYPES, atom: ATOMS }).flatMap(([style, list]) =>
    list.split(/\s+/).map((word) => [word, style] as const),
  ),
);
const functions: ReadonlySet<string> = new Set(FUNCTIONS.split(/\s+/));

export const sql = dialect({ hash: false, backslash: false });
export const mysql = dialect({ hash: true, backslash: true });

/** Whether `#` begins a comment, and whether a backslash escapes in a string. */
function dialect({ hash, backslash }: { hash: boolean; backslash: boolean }): StreamParser<State> {
  const comment = hash ? /^(?:--|#).*/ : /^--.*/;
  return {
    name: "sql",
    startState: () => ({ end: "" }),
    token(stream, state) {
      if (state.end !== "") return inside(stream, state, backslash);
      if (stream.eatSpace()) return null;
      if (stream.match(comment)) return "comment";
      if (stream.match("/*")) state.end = "*/";
      else if (stream.match(/^['"`]/)) state.end = stream.current();
      if (state.end !== "") return inside(stream, state, backslash);
      if (stream.match(/^(?:0x[\da-f]+|\d+(?:\.\d+)?(?:e[+-]?\d+)?)/i)) return "number";
      if (stream.match(/^[\p{L}_][\p{L}\w$]*/u)) return word(stream);
      // A variable, a parameter, or the quotes around a function's body.
      if (stream.match(/^(?:@@?\w+|\$\d+)/)) return "def";
      if (stream.match(/^\$\w*\$/)) return "meta";
      return OPERATOR.test(stream.next() ?? "") ? "operator" : null;
    },
  };
}

const OPERATOR = /[-+*/%<>=!|&^~]/;

function inside(stream: StringStream, state: State, backslash: boolean): string {
  const { end } = state;
  const style = end === "*/" ? "comment" : "string";
  while (!stream.eol()) {
    if (stream.match(end)) {
      state.end = "";
      break;
    }
    if (stream.next() === "\\" && backslash && style === "string") stream.next();
  }
  return style;
}

function word(stream: StringStream): string | null {
  // A column of a table, whatever its name is.
  if (stream.string[stream.start - 1] === ".") return null;
  const text = stream.current().toLowerCase();
  if (functions.has(text) && stream.match(/^\s{0,20}\(/, false)) return "builtin";
  return words.get(text) ?? null;
}
