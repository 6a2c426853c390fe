"""Calls that read the warning out (语音外呼), through the city's gateway."""

from dataclasses import dataclass
from typing import Annotated

from alerts.channels.sms import Sms
from lifeline.config import Between


@dataclass(frozen=True)
class Voice(Sms):
    """As short messages: a gateway for calls is asked and understood the same way, so it is the same but for what fits."""

    longest: Annotated[int, Between(20)] = 120  # [1] characters of {text}; {speech} is made to be read out
