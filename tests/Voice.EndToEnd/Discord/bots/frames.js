// Frames whose loss, damage or exchange is seen: as long as Opus frames are, each with its sender and its number. Used by
// the bots and by the page under test, so that either can check what the other sent.
globalThis.opusFrames = (() => {
  // RFC 6716 section 3.1: configuration 31 (CELT, full band, 20 ms), stereo, one frame a packet.
  const TOC = 0xfc;
  const HEADER = 9;
  const SHORTEST = 40;
  const LONGEST = 160;

  /** @param {number} sender @param {number} number both of 32 bits */
  function make(sender, number) {
    const frame = new Uint8Array(SHORTEST + (number * 37) % (LONGEST - SHORTEST + 1));
    const view = new DataView(frame.buffer);
    frame[0] = TOC;
    view.setUint32(1, sender);
    view.setUint32(5, number);
    for (let i = HEADER; i < frame.length; i++) frame[i] = number * 31 + i * 7 + sender;
    return frame;
  }

  /** Null for a frame that is none of ours; number -1 for one of ours that is not as it was sent. @param {Uint8Array} frame */
  function read(frame) {
    if (frame.length < SHORTEST || frame[0] !== TOC) return null;
    const view = new DataView(frame.buffer, frame.byteOffset);
    const [sender, number] = [view.getUint32(1), view.getUint32(5)];
    const sent = make(sender, number);
    return { sender, number: sent.length === frame.length && sent.every((byte, i) => byte === frame[i]) ? number : -1 };
  }

  return { make, read };
})();
