import json

import numpy as np
import pytest
from conftest import SHARED

from semanticface.errors import BadInput
from semanticface.rig import (
    BLENDSHAPES,
    CHANNELS,
    COUNT,
    HALVES,
    NAMES,
    ORDERS,
    REGIONS,
    ROTATIONS,
    channel,
    find,
    read_header,
    region_indices,
    resolve,
)


def test_there_are_52_shapes_and_9_rotations_with_unique_names_and_codes():
    assert (len(BLENDSHAPES), len(ROTATIONS), COUNT) == (52, 9, 61)
    assert len(set(NAMES)) == len({each.code for each in CHANNELS}) == COUNT
    assert [each.index for each in CHANNELS] == list(range(COUNT))


def test_mirror_is_an_involution_within_one_region_and_sign():
    for each in CHANNELS:
        partner = channel(each.mirror)
        assert partner.mirror == each.name
        assert (partner.region, partner.unit, partner.mirror_sign) == (
            each.region, each.unit, each.mirror_sign,
        )  # fmt: skip
        assert {each.side, partner.side} in ({"left", "right"}, {"centre"})


def test_only_yaw_and_roll_turn_around_in_a_mirror():
    turned = {each.name for each in CHANNELS if each.mirror_sign < 0}
    assert turned == {each.name for each in ROTATIONS if not each.name.endswith("Pitch")}


def test_regions_and_halves_cover_every_channel_once():
    for groups in (REGIONS, HALVES):
        listed = [i for group in groups for i in region_indices(group)]
        assert sorted(listed) == list(range(COUNT))
    with pytest.raises(KeyError, match="no region 'chin'"):
        region_indices("chin")


def test_a_wrong_name_gets_the_nearest_one():
    with pytest.raises(KeyError, match="Did you mean 'jawOpen'"):
        channel("jawOpn")
    with pytest.raises(BadInput, match="Did you mean 'mouthSmileLeft'"):
        resolve("mouthSmilLeft")


def test_live_link_csv_has_jaw_and_mouth_right_first_and_unreal_left_first():
    csv, unreal = ORDERS["livelink-csv"].labels, ORDERS["unreal"].labels
    for pair in ("Jaw", "Mouth"):
        assert csv.index(f"{pair}Right") == csv.index(f"{pair}Left") - 1
        assert unreal.index(f"{pair}Left") == unreal.index(f"{pair}Right") - 1
    assert sum(a != b for a, b in zip(csv, unreal, strict=True)) == 4
    assert (unreal.index("JawLeft"), unreal.index("MouthLeft"), unreal.index("HeadYaw")) == (
        15,
        21,
        52,
    )


@pytest.mark.parametrize("order", ORDERS.values(), ids=list(ORDERS))
def test_every_label_of_every_order_resolves_to_its_channel(order):
    for label, index in zip(order.labels, order.channels, strict=True):
        assert find(label) == index
        assert find(label.upper()) == index


@pytest.mark.parametrize("order", ORDERS.values(), ids=list(ORDERS))
def test_a_table_in_any_order_gathers_to_the_same_values(order):
    values = np.arange(COUNT, dtype=np.float32)
    table = np.array([[0.5 if i is None else values[i] for i in order.channels]])
    columns = read_header(order.labels)
    gathered = columns.gather(table)[0]
    np.testing.assert_array_equal(gathered[columns.present], values[columns.present])
    assert np.isnan(gathered[~columns.present]).all()
    assert order.missing == tuple(np.array(NAMES)[~columns.present])


def test_a_channel_given_twice_is_refused_unless_its_order_splits_it():
    with pytest.raises(BadInput, match="for one channel"):
        read_header(["JawOpen", "jawOpen"])
    with pytest.raises(BadInput, match="for one channel"):
        read_header(["eyeBlink_L", "EyeBlinkLeft"])
    split = read_header(["browInnerUp_L", "browInnerUp_R"])
    assert split.shared == ("browInnerUp",)
    assert split.gather(np.array([[0.2, 0.6]]))[0, resolve("browInnerUp")] == np.float32(0.4)


def test_the_table_agrees_with_the_collected_reference():
    path = SHARED.parent / "reference" / "arkit_names.json"
    if not path.is_file():
        pytest.skip("no ../shared/reference beside this checkout")
    reference = json.loads(path.read_text())
    for mine, theirs in zip(CHANNELS, reference["blendshapes"], strict=False):
        assert mine.name == theirs["name"]
        assert mine.label == theirs["llf_name"]
        assert (mine.region, mine.side, mine.mirror) == (
            theirs["region"], theirs["side"], theirs["mirror"],
        )  # fmt: skip
        assert ORDERS["livelink-csv"].channels[theirs["llf_csv_column"] - 2] == mine.index
        assert ORDERS["underscored"].labels[mine.index] == theirs["apple_raw_value"]
        assert {find(name) for name in theirs["ict_facekit"]} <= {mine.index}
    assert list(ORDERS["mediapipe"].labels) == reference["mediapipe_order"]
    assert list(ORDERS["alphabetical"].labels) == reference["alphabetical_order"]
