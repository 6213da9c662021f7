// What a page hears: the mix of everything it receives, as decibels per tone. Injected into each page under test.
window.ears = (() => {
  let context, analyser, spectrum;
  const taps = new Map();

  function tap() {
    context ??= new AudioContext();
    // 16384 samples at 48 kHz: a third of a second, 3 Hz a bin.
    analyser ??= new AnalyserNode(context, { fftSize: 16384, smoothingTimeConstant: 0, minDecibels: -140 });
    spectrum ??= new Float32Array(analyser.frequencyBinCount);
    const streams = window.voice?.streams ?? new Map();
    for (const [user, { stream, source }] of taps) {
      if (streams.get(user) === stream) continue;
      source.disconnect();
      taps.delete(user);
    }
    for (const [user, stream] of streams) {
      if (taps.has(user)) continue;
      const source = context.createMediaStreamSource(stream);
      source.connect(analyser);
      taps.set(user, { stream, source });
    }
  }

  return {
    hear(tones) {
      tap();
      analyser.getFloatFrequencyData(spectrum);
      const width = context.sampleRate / analyser.fftSize;
      return tones.map(tone => {
        const middle = Math.round(tone / width);
        return Math.max(-200, ...spectrum.subarray(middle - 3, middle + 4));
      });
    },
  };
})();
