// A fan-out server as one would write it with node's ws: an event that is posted is sent to every client, encoded once.
// It knows no people, tokens or streams. PORT names its port.
'use strict';
const http = require('http');
const { WebSocketServer } = require('ws');

const server = http.createServer((request, response) => {
  const chunks = [];
  request.on('data', (chunk) => chunks.push(chunk));
  request.on('end', () => {
    const delivery = JSON.parse(Buffer.concat(chunks).toString());
    for (const entry of delivery.entries) {
      const event = entry.event;
      delete event.data.members;
      const message = JSON.stringify({ type: 'event', event });
      for (const client of sockets.clients) client.send(message);
    }
    response.writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': '2' });
    response.end('{}');
  });
});
const sockets = new WebSocketServer({ server, perMessageDeflate: false });
server.listen({ host: '127.0.0.1', port: Number(process.env.PORT), backlog: 4096 });
