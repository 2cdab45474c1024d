// Two quiet sounds: a tick at the target, a low note when the pelvis drifts.

let audio = null;
let muted = readMuted();

function readMuted() {
  try {
    return localStorage.getItem("hiprot-muted") !== "no";
  } catch {
    return true;
  }
}

export const isMuted = () => muted;

export function toggleMute() {
  muted = !muted;
  try {
    localStorage.setItem("hiprot-muted", muted ? "yes" : "no");
  } catch {
    // private windows keep nothing
  }
  if (!muted && audio === null) audio = new AudioContext();
  return muted;
}

function play(frequency, seconds) {
  if (muted) return;
  if (audio === null) audio = new AudioContext();
  const tone = audio.createOscillator();
  const gain = audio.createGain();
  tone.frequency.value = frequency;
  gain.gain.setValueAtTime(0.15, audio.currentTime);
  gain.gain.exponentialRampToValueAtTime(0.001, audio.currentTime + seconds);
  tone.connect(gain).connect(audio.destination);
  tone.start();
  tone.stop(audio.currentTime + seconds);
}

export const tick = () => play(880, 0.12);
export const low = () => play(180, 0.5);
