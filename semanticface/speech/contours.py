"""How loud, how high and whether anybody speaks, every 10 ms, in constant memory.

Loudness is the root mean square of 25 ms in dB of full scale. Pitch is the best peak of
the autocorrelation of 50 ms over the window's own (Boersma 1993), 70 to 400 Hz, where that
peak is above 0.45 and the frame is loud enough; 8 kHz are enough for it. Voice is
WebRTC's detector, by pocketsphinx.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from semanticface.errors import need
from semanticface.speech.audio import RATE, Samples, as_int16

Series = NDArray[np.float32]

STEP = 0.01
_HOP = round(STEP * RATE)
_LOUD = 400
_TONE = 800
_PITCH_RATE = RATE // 2
FLOOR = -100.0
"""dB that stand for no sound at all."""
LOWEST, HIGHEST = 70.0, 400.0
VOICED = 0.45
_QUIET = -60.0


@dataclass(frozen=True)
class Contours:
    """Three series, value i at (i + 0.5) * 0.01 s."""

    loudness: Series
    """dB of full scale, -100 for none."""
    pitch: Series
    """Hz; NaN where no voice sounds."""
    speech: NDArray[np.bool_]
    """Whether anybody speaks."""

    def __len__(self) -> int:
        return len(self.loudness)

    def at(self, series: Series, times: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
        """A series at any times, by straight lines, NaN outside voiced parts of pitch."""
        own = (np.arange(len(series)) + 0.5) * STEP
        return np.interp(times, own, series) if len(series) else np.full(len(times), np.nan)


def contours(blocks: Iterable[Samples]) -> Contours:
    """The contours of a recording's blocks."""
    reader = Reader()
    for block in blocks:
        reader.push(block)
    return reader.end()


class Reader:
    """Takes blocks of any length; needs no more of the past than 30 ms."""

    def __init__(self) -> None:
        pocketsphinx = need("pocketsphinx", "speech", "Finding the voice")
        self._vad = pocketsphinx.Vad(pocketsphinx.Vad.MEDIUM_STRICT, RATE, STEP)
        self._loudness: list[Series] = []
        self._pitch: list[Series] = []
        self._speech: list[NDArray[np.bool_]] = []
        self._rest = np.zeros(0, np.float32)
        self._seen = 0
        # Half a window before the first sample, so that value i stands for its own 10 ms.
        self._tail = np.zeros((_TONE - _HOP) // 2, np.float32)

    def push(self, block: Samples) -> None:
        """Take in the next samples."""
        self._seen += len(block)
        self._hear(np.concatenate([self._rest, block]))
        self._see(np.concatenate([self._tail, block]))

    def end(self) -> Contours:
        """All there is, the last moments with silence behind them."""
        count = -(-self._seen // _HOP)
        self._see(np.concatenate([self._tail, np.zeros(_TONE, np.float32)]))
        self._hear(np.concatenate([self._rest, np.zeros(_HOP, np.float32)]))
        loudness, pitch = (_joined(each)[:count] for each in (self._loudness, self._pitch))
        speech = np.concatenate(self._speech or [np.zeros(0, np.bool_)])[:count]
        return Contours(loudness, pitch, speech)

    def _hear(self, samples: Samples) -> None:
        size = 2 * _HOP
        data = as_int16(samples)
        count = len(data) // size
        frames = [self._vad.is_speech(data[i * size : (i + 1) * size]) for i in range(count)]
        self._speech.append(np.array(frames, np.bool_))
        self._rest = samples[count * _HOP :]

    def _see(self, samples: Samples) -> None:
        if len(samples) < _TONE:
            self._tail = samples
            return
        windows = sliding_window_view(samples, _TONE)[::_HOP]
        middle = windows[:, (_TONE - _LOUD) // 2 : (_TONE + _LOUD) // 2]
        power = np.mean(np.square(middle, dtype=np.float32), axis=1)
        loudness = np.maximum(10 * np.log10(power + 1e-12), FLOOR).astype(np.float32)
        self._loudness.append(loudness)
        self._pitch.append(_pitch(windows, loudness))
        self._tail = samples[len(windows) * _HOP :]


def _pitch(windows: NDArray[np.float32], loudness: Series) -> Series:
    shortest, longest = int(_PITCH_RATE / HIGHEST), int(_PITCH_RATE / LOWEST)
    taper = np.hanning(_TONE // 2).astype(np.float32)
    halved = windows[:, ::2] + windows[:, 1::2]
    held = (halved - halved.mean(axis=1, keepdims=True)) * taper
    own = _autocorrelation(taper[None])[0]
    own = own / own[0]
    found = _autocorrelation(held)[:, : longest + 2]
    share = found / np.maximum(found[:, :1], 1e-12) / np.maximum(own[: longest + 2], 1e-3)
    lags = np.arange(shortest, longest + 1)
    # A shorter lag of nearly the same height is the pitch; its multiples are as high.
    cost = share[:, lags] - 0.04 * np.log2(lags / shortest)
    best = lags[cost.argmax(axis=1)]
    rows = np.arange(len(windows))
    left, peak, right = share[rows, best - 1], share[rows, best], share[rows, best + 1]
    bend = left - 2 * peak + right
    shift = np.where(bend < 0, 0.5 * (left - right) / np.where(bend < 0, bend, -1), 0)
    hertz = _PITCH_RATE / (best + np.clip(shift, -0.5, 0.5))
    voiced = (peak > VOICED) & (loudness > _QUIET)
    return np.where(voiced, hertz, np.nan).astype(np.float32)


def _autocorrelation(windows: NDArray[np.float32]) -> NDArray[np.float32]:
    fft = import_module("scipy.fft")  # numpy's has double precision alone
    spectrum = fft.rfft(windows, _TONE, axis=1)
    power = spectrum.real**2 + spectrum.imag**2
    return np.asarray(fft.irfft(power, axis=1), np.float32)


def _joined(parts: list[Series]) -> Series:
    return np.concatenate(parts) if parts else np.zeros(0, np.float32)
