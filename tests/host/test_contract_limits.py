"""The limits of a contract in TOML, in physical units: what they become, and each fault with its exact line."""

import pytest
from tinyseal_host.contract import NO_ZERO, Channel, Checks
from tinyseal_host.contract_toml import read_contract
from toml_contracts import RANGE_WANTED, fault

SIX = {"channels": "6", "range": "[-20.0, 20]"}


def test_channels_share_what_is_one(toml):
    contract = read_contract(toml(channels="6", range="[[-1, 1], [-2, 2], [-3, 3], [-4, 4], [-5, 5], [-6, 6]]"))
    assert [(channel.low, channel.high) for channel in contract.channels] == [(-i, i) for i in range(1, 7)]
    assert contract.samples == 100
    assert read_contract(toml(**SIX)).channels == (Channel(-20.0, 20.0),) * 6


# A range of 0 to 512: exponent 136, so that one u is 2^-20, u = value * 2^20, and q = u >> 15 has an LSB of 1/32.
WIDE = {"range": "[0, 512]", "length": "4"}


@pytest.mark.parametrize(
    ("keys", "check", "wanted"),
    [
        ({"saturated_ratio": "0.5"}, Checks.SATURATED, {"max_saturated": 2, "rail_high": 512 << 20}),
        ({"saturated_ratio": "0.74", "rails": "[1, 511.5]"}, Checks.SATURATED,
         {"max_saturated": 2, "rail_low": 1 << 20, "rail_high": 1023 << 19}),
        ({"least_movement": "0.5"}, Checks.FLAT, {"min_movement": 1 << 19}),
        ({"least_movement": "1e-9"}, Checks.FLAT, {"min_movement": 1}),
        ({"largest_step": "100"}, Checks.STEP, {"max_step": 100 << 20}),
        ({"largest_step": "0.0000019"}, Checks.STEP, {"max_step": 1}),
        ({"largest_step": "1e9"}, Checks.STEP, {"max_step": 512 << 20}),
        # n * (mean / LSB), less what flooring takes: nearly half of n.
        ({"mean": "[8, 16]"}, Checks.MEAN, {"mean_low": 4 * 8 * 32 - 1, "mean_high": 4 * 16 * 32 - 2}),
        ({"mean": "[-1, 1000]"}, Checks.MEAN, {"mean_low": 0, "mean_high": 4 * 16384}),
        ({"deviation": "[0.5, 2]"}, Checks.DEVIATION,
         {"deviation_low": (4 * 16) ** 2, "deviation_high": (4 * 64) ** 2}),
        ({"deviation": "[0, 1e30]"}, Checks.DEVIATION, {"deviation_high": 1 << 62}),
    ],
)  # fmt: skip
def test_limits_in_fixed_point(toml, keys, check, wanted):
    contract = read_contract(toml(**WIDE, **keys))
    assert contract.checks == check
    assert contract.channels == (Channel(0.0, 512.0, **wanted),)


def test_limits_of_raw_integers(toml):
    """A sensor of 1/1024 a count about 1.0: ranges and limits in its unit, and the counts that they become."""
    keys = {"type": '"int16"', "scale": "0.0009765625", "offset": "1.0", "range": "[-2, 3]", "length": "10"}
    more = {"saturated_ratio": "0.1", "least_movement": "0.01", "largest_step": "1", "mean": "[0, 1]"}
    contract = read_contract(toml(**keys, **more, sensor_failure="7"))
    assert contract.failure_after == 7
    assert contract.channels == (
        Channel(
            *(-3072, 2048, 0.0009765625, 1.0, -1024),
            **{"rail_high": 5120, "max_saturated": 1, "min_movement": 11, "max_step": 1024},
            **{"mean_low": 20480, "mean_high": 30720},
        ),
    )


@pytest.mark.parametrize(
    ("kind", "scale", "offset", "wanted", "low", "high", "zero"),
    [
        ("int8", "0.1", "0", "[-5, 5]", -50, 50, 0),
        ("int8", "1", "0.4", "[-200, 200]", -128, 127, 0),
        ("int8", "1", "1000", "[1000, 1010]", 0, 10, NO_ZERO),
        ("uint8", "0.5", "-10", "[-10, 0]", 0, 20, 20),
        ("uint8", "0.5", "-10", "[-9.9, 0.1]", 1, 20, 20),
        ("int16", "1e-3", "0", "[-32.768, 32.767]", -32768, 32767, 0),
    ],
)
def test_range_and_zero_of_raw_integers(toml, kind, scale, offset, wanted, low, high, zero):
    contract = read_contract(toml(type=f'"{kind}"', scale=scale, offset=offset, range=wanted))
    (channel,) = contract.channels
    assert (channel.low, channel.high, channel.zero) == (low, high, zero)


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"channels": "7"}, "channels is 7, wanted a divisor of the length 600"),
        ({"channels": "0"}, "channels is 0, wanted a whole number from 1 to 256"),
        ({"channels": "300"}, "channels is 300, wanted a whole number from 1 to 256"),
        ({"channels": "2", "range": "[[0, 1]]"}, f"range is [[0, 1]], wanted {RANGE_WANTED}, or a list of 2"),
        ({"channels": "2", "range": "[[0, 1], 2]"}, f"range is [[0, 1], 2], wanted {RANGE_WANTED}, or a list of 2"),
        ({"scale": "2.0"}, "scale is for integer types, float32 is in physical units as it is"),
        ({"offset": "0"}, "offset is for integer types, float32 is in physical units as it is"),
        ({"type": '"int8"', "scale": "0"}, "scale is 0, wanted a positive float32 number"),
        ({"type": '"int8"', "scale": "-1"}, "scale is -1, wanted a positive float32 number"),
        ({"type": '"int8"', "scale": "1e-60"}, "scale is 1E-60, wanted a positive float32 number"),
        ({"type": '"int8"', "offset": "inf"}, "offset is Infinity, wanted a finite float32 number"),
        ({"type": '"int8"', "range": "[200, 300]"},
         "range is 200 to 300, wanted two values or more of int8's -128 to 127"),
        ({"zero_ratio": "[0.1]"}, "zero_ratio is [0.1], wanted a number from 0 to 1"),
        ({"saturated_ratio": "2"}, "saturated_ratio is 2, wanted a number from 0 to 1"),
        ({"rails": "[0, 1]"}, "rails without saturated_ratio are looked at by nothing"),
        ({"saturated_ratio": "0", "rails": "[0, 21]"}, "rails are 0 and 21, wanted both in the range -20.0 to 20"),
        ({"least_movement": "0"}, "least_movement is 0, wanted a positive number"),
        ({"least_movement": "41"}, "least_movement is 41, more than the range -20.0 to 20"),
        ({"least_movement": "1e99"}, "least_movement is 1E+99, wanted a positive number"),
        ({"largest_step": "true"}, "largest_step is true, wanted a positive number"),
        ({"mean": "[1, 0]"}, "mean is [1, 0], wanted two numbers, the lower one first"),
        ({"mean": "[21, 30]"}, "mean is 21 to 30, which no frame has in the range -20.0 to 20"),
        ({"mean": "1"}, "mean is 1, wanted two numbers, the lower one first"),
        ({"deviation": "[-1, 1]"}, "deviation is [-1, 1], wanted two numbers, the lower one first and not negative"),
        ({"deviation": "[30, 40]"}, "deviation is 30 to 40, which no frame has in the range -20.0 to 20"),
        ({"deviation": "[0, 1]", "length": "65536"},
         "a channel has 65536 values, wanted at most 65535 for mean and deviation"),
        ({"sensor_failure": "0"}, "sensor_failure is 0, wanted a whole number from 1 to 2147483647"),
        ({"sensor_failure": "1.5"}, "sensor_failure is 1.5, wanted a whole number from 1 to 2147483647"),
    ],
)  # fmt: skip
def test_a_wrong_limit_is_told_in_one_line(toml, keys, message):
    assert fault(toml(**keys)) == message
