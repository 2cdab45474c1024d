"""One sensor's decoder from its first link to the recording's end."""

from __future__ import annotations

from imu.codecs.protocol import Codec, Decoded, Decoder, StreamSettings
from imu.frames import Frame


class SensorDecoding:
    """Frames of one sensor -> samples; a recording and its kept frames both come by here.

    Parameters
    ----------
    codec : Codec
        The sensor's family.
    address : str
        As the link names it.

    Attributes
    ----------
    last_arrival_s : float or None
        When the last frame came that gave samples: what was held back is finished under it.
    """

    def __init__(self, codec: Codec, address: str) -> None:
        self.last_arrival_s: float | None = None
        self._codec = codec
        self._device = f"{codec.model} {address}"
        self._decoder: Decoder | None = None

    @property
    def linked(self) -> bool:
        """Whether there is a stream to decode."""
        return self._decoder is not None

    def begin(self, settings: StreamSettings) -> None:
        """Start afresh: nothing that came before counts."""
        self._decoder = self._codec.decoder(self._device, settings)
        self.last_arrival_s = None

    def link(self, settings: StreamSettings) -> None:
        """Take up a stream: the first one, or the same one again after a lost link."""
        if self._decoder is None:
            self.begin(settings)
        else:
            self._decoder.relink(settings)

    def feed(self, frame: Frame) -> Decoded:
        """Decode one frame; without a stream it gives nothing."""
        if self._decoder is None:
            return Decoded()
        decoded = self._decoder.feed(frame)
        if decoded.samples:
            self.last_arrival_s = frame.arrival_s
        return decoded

    def finish(self) -> Decoded:
        """Give what was held back, if there ever were samples."""
        if self._decoder is None or self.last_arrival_s is None:
            return Decoded()
        return self._decoder.finish()
