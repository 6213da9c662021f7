// `counters`: the page sends numbered frames in place of what its encoder makes, and reads those of others. After frames.js,
// before the page's own scripts.
window.counters = (() => {
  let sender = 0, next = 0, end = 0;
  const received = new Map();

  const through = (streams, transform) => streams.readable.pipeThrough(new TransformStream({ transform })).pipeTo(streams.writable);

  function send(frame, controller) {
    if (next < end) frame.data = opusFrames.make(sender, next++).buffer;
    controller.enqueue(frame);
  }

  function receive(frame, controller) {
    const read = opusFrames.read(new Uint8Array(frame.data));
    if (read) {
      if (!received.has(read.sender)) received.set(read.sender, []);
      received.get(read.sender).push(read.number);
    }
    controller.enqueue(frame);
  }

  const Peer = window.RTCPeerConnection;
  window.RTCPeerConnection = class extends Peer {
    constructor(configuration) {
      super({ ...configuration, encodedInsertableStreams: true });
    }

    addTransceiver(...parameters) {
      const transceiver = super.addTransceiver(...parameters);
      if (transceiver.direction === 'sendonly') through(transceiver.sender.createEncodedStreams(), send);
      else through(transceiver.receiver.createEncodedStreams(), receive);
      return transceiver;
    }
  };

  return {
    /** @param {number} from @param {number} count */
    play(as, from, count) {
      [sender, next, end] = [as, from, from + count];
    },

    /** The numbers that came from a sender, in the order they came; -1 for a damaged one. @param {number} of */
    received: of => received.get(of) ?? [],
  };
})();
