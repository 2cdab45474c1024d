// The socket: it acknowledges what was drawn, and comes back by itself.
//
// Messages are put down as they come and drawn with the next frame, the newest of each kind only;
// a hidden page draws nothing, so nothing stale is drawn when it is looked at again.

const WAITS_S = [0.5, 1, 2, 5];

export class Socket {
  constructor(onDraw, onLink) {
    this.onDraw = onDraw;
    this.onLink = onLink;
    this.failed = 0;
    this.seq = 0;
    this.pending = new Map();
    this.asked = false;
    this.open();
  }

  open() {
    const socket = new WebSocket(`ws://${location.host}/live`);
    this.socket = socket;
    socket.onopen = () => {
      this.failed = 0;
      this.onLink(true);
    };
    socket.onmessage = (event) => this.take(JSON.parse(event.data));
    socket.onclose = () => {
      this.onLink(false);
      const wait = WAITS_S[Math.min(this.failed++, WAITS_S.length - 1)];
      setTimeout(() => this.open(), 1000 * wait);
    };
  }

  take(message) {
    this.seq = message.seq;
    this.pending.set(message.type, message);
    if (this.asked) return;
    this.asked = true;
    requestAnimationFrame(() => this.draw());
  }

  draw() {
    this.asked = false;
    const messages = [...this.pending.values()];
    this.pending.clear();
    for (const message of messages) this.onDraw(message);
    this.send({ type: "ack", seq: this.seq });
  }

  send(message) {
    if (this.socket.readyState !== WebSocket.OPEN) return false;
    this.socket.send(JSON.stringify(message));
    return true;
  }
}
