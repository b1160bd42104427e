import { describe, expect, test } from "vitest";
import { left } from "../../src/model/spendings.ts";

describe("what is left", () => {
  const used = { tokens_today: { used: 5 }, tokens_in_conversation: { used: 400 } };

  test("is told of a chat's own budget", () => {
    expect(left(used, 1000)).toEqual([{ of: "tokens in this conversation", left: 600, limit: 1000 }]);
    expect(left(used, 100)).toEqual([{ of: "tokens in this conversation", left: 0, limit: 100 }]);
  });

  test("is never more than the server allows", () => {
    const limited = { ...used, tokens_in_conversation: { used: 400, limit: 500 } };
    expect(left(limited, 1000)[0]?.left).toBe(100);
    expect(left(limited, 450)[0]?.left).toBe(50);
  });

  test("is nothing where nothing ends", () => {
    expect(left(used)).toEqual([]);
    expect(left(used, "1000")).toEqual([]);
  });
});
