// A peer: Node with ws as the server and fetch as the client.
import { WebSocketServer } from "ws";

const base = process.env.OPENAI_BASE_URL;
const server = new WebSocketServer({
  host: "127.0.0.1",
  port: Number(process.argv[2]),
  perMessageDeflate: false,
  backlog: 1024,
});

server.on("connection", (socket) => {
  socket.on("message", async (prompt) => {
    const answer = await fetch(`${base}/chat/completions`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({
        model: "bench",
        stream: true,
        messages: [{ role: "user", content: prompt.toString() }],
      }),
    });
    const decoder = new TextDecoder();
    let rest = "";
    for await (const bytes of answer.body) {
      rest += decoder.decode(bytes, { stream: true });
      const lines = rest.split("\n");
      rest = lines.pop();
      for (const line of lines) {
        if (!line.startsWith("data: ") || line.startsWith("data: [DONE]")) continue;
        const delta = JSON.parse(line.slice(6)).choices[0]?.delta?.content;
        if (delta) socket.send(JSON.stringify({ type: "text-delta", delta }));
      }
    }
    socket.send('{"type":"finish"}');
  });
});
