// What a page hears: the mix of everything it receives, as decibels per tone. Injected into each page under test.
window.ears = (() => {
  // A third of a second at 48 kHz, 3 Hz a bin.
  const WINDOW = 16384;
  const SILENCE = -200;
  const streams = () => window.voice?.streams ?? new Map();

  // Listening: an analyser on the mix, read whenever somebody asks.
  let context, analyser, spectrum;
  const taps = new Map();

  function listen(tones) {
    analyser ??= new AnalyserNode(context, { fftSize: WINDOW, smoothingTimeConstant: 0 });
    spectrum ??= new Float32Array(analyser.frequencyBinCount);
    const now = streams();
    for (const [user, { stream, source }] of taps) {
      if (now.get(user) === stream) continue;
      source.disconnect();
      taps.delete(user);
    }
    for (const [user, stream] of now) {
      if (taps.has(user)) continue;
      const source = context.createMediaStreamSource(stream);
      source.connect(analyser);
      taps.set(user, { stream, source });
    }
    analyser.getFloatFrequencyData(spectrum);
    const width = context.sampleRate / WINDOW;
    return tones.map(tone => {
      const middle = Math.round(tone / width);
      return Math.max(SILENCE, ...spectrum.subarray(middle - 3, middle + 4));
    });
  }

  // Recording: Firefox runs no audio context on a machine without a sound card, but it records there.
  async function record(tones) {
    const decoder = new OfflineAudioContext(1, WINDOW, 48000);
    const recordings = await Promise.all([...streams().values()].map(async stream => {
      const recorder = new MediaRecorder(stream);
      const parts = [];
      recorder.ondataavailable = event => parts.push(event.data);
      const stopped = new Promise(done => { recorder.onstop = done; });
      recorder.start();
      setTimeout(() => recorder.stop(), 700);
      await stopped;
      const sound = await decoder.decodeAudioData(await new Blob(parts).arrayBuffer()).catch(() => null);
      return sound?.getChannelData(0).slice(-WINDOW) ?? new Float32Array(0);
    }));
    return tones.map(tone => Math.max(SILENCE, ...recordings.map(samples => 20 * Math.log10(amplitude(samples, tone)))));
  }

  // One bin of a discrete Fourier transform, under the same window as the analyser's (Blackman), in its units.
  function amplitude(samples, tone) {
    let real = 0, imaginary = 0;
    samples.forEach((sample, i) => {
      const at = 2 * Math.PI * i / samples.length;
      const weighed = sample * (0.42 - 0.5 * Math.cos(at) + 0.08 * Math.cos(2 * at));
      real += weighed * Math.cos(2 * Math.PI * tone * i / 48000);
      imaginary += weighed * Math.sin(2 * Math.PI * tone * i / 48000);
    });
    return Math.hypot(real, imaginary) / Math.max(1, samples.length);
  }

  return {
    hear(tones) {
      context ??= new AudioContext();
      return context.state === 'running' ? listen(tones) : record(tones);
    },
  };
})();
