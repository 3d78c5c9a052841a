"""The profiles that are shipped: honest, complete where they must be, and open to a laboratory's own text."""

from decimal import Decimal
from pathlib import Path

import pytest

from swapproto.errors import ProfileError
from swapproto.messages.catalog import SETS, message_set
from swapproto.messages.pack_can import TemperatureExtremes
from swapproto.profile import KEYS, Leaf, Outline, Quantity, load, shipped
from swapproto.profile.bind import bind
from swapproto.provenance import Basis, Weight

OVERLAY = Path(__file__).parents[2] / "examples" / "overlay" / "lab-overlay.toml"
JIANGSU = "cn-js-hdt-2022"
PUBLISHED = {
    "gbt27930-2011", "gbt27930-2015", "gbt27930-2023a", "gbt34658-2025", "pack-can-d0f3",
    "station-charging-ext",
    JIANGSU, "cn-js-steel-2023", "cn-xiongan-hdt-2023", "cn-im-hdt-2022", "cn-yibin-hdt-2023",
    "cn-commercial-2023", "cn-commercial-2026", "cn-pack-station-2025", "cn-swap-safety-2025",
    "cn-passenger-2024",
}  # fmt: skip
INTERCHANGE = ("pack", "vehicle", "connector", "thermal", "bus", "protocol", "swap", "safety", "identity")
LEAVES = [(name, leaf) for name in shipped() for leaf in load(name).leaves.values()]
EACH_LEAF = pytest.mark.parametrize(
    "leaf", [leaf for _, leaf in LEAVES], ids=[f"{name}:{leaf.key}" for name, leaf in LEAVES]
)
laid_over = pytest.mark.skipif(not OVERLAY.exists(), reason="the examples are not here")


def test_every_promised_profile_is_shipped() -> None:
    assert set(shipped()) >= PUBLISHED


@pytest.mark.parametrize("name", shipped())
def test_a_profile_has_its_file_s_name_a_scope_and_a_document(name: str) -> None:
    profile = load(name)
    assert profile.id == name
    assert len(profile.scope) > 40
    assert profile.documents
    assert profile.leaves
    assert set(profile.messages) <= set(SETS)


@pytest.mark.parametrize("name", SETS)
def test_a_message_set_has_the_profile_of_its_name(name: str) -> None:
    assert bind(load(name)) == (message_set(name),)


@pytest.mark.parametrize("name", shipped())
def test_dates_follow_one_another(name: str) -> None:
    for document in load(name).documents.values():
        dates = [
            date
            for date in (document.reviewed, document.issued, document.in_force, document.withdrawn)
            if date is not None
        ]
        assert dates == sorted(dates), document.name


@EACH_LEAF
def test_no_shipped_value_is_stated_and_each_says_why(leaf: Leaf) -> None:
    assert leaf.source.basis is not Basis.STATED
    assert leaf.source.why
    assert leaf.is_set is (leaf.value is not None)


@EACH_LEAF
def test_witnesses_agree_with_the_basis(leaf: Leaf) -> None:
    reported = leaf.source.basis in {Basis.REPORTED, Basis.OBSERVED}
    assert leaf.source.witnesses in ({1, 2} if reported else {0})
    assert (leaf.weight is Weight.FULL) is (reported and leaf.source.witnesses == 2)


@pytest.mark.parametrize("name", sorted(PUBLISHED))
def test_no_shipped_profile_inherits_the_values_of_another(name: str) -> None:
    """Field practice under a standard's name would look like the standard's own."""
    profile = load(name)
    assert profile.chain == (name,)
    assert {leaf.profile for leaf in profile.leaves.values()} == {name}


@pytest.mark.parametrize("name", shipped())
def test_what_a_clause_governs_is_an_item_of_the_profile(name: str) -> None:
    profile = load(name)
    for clause in profile.clauses:
        assert set(clause.keys) <= set(profile.leaves), f"{clause.document} {clause.number}"


@pytest.mark.parametrize("key", [key.name for key in KEYS.values() if key.section in INTERCHANGE])
def test_jiangsu_has_every_interchange_item_and_takes_no_number_from_the_field(key: str) -> None:
    leaf = load(JIANGSU).leaf(key)
    if leaf.is_set:
        assert key == "vehicle.kind"
        assert (leaf.source.basis, leaf.weight) == (Basis.REPORTED, Weight.PASS_ONLY)
    else:
        assert "not public" in leaf.source.why
        assert leaf.weight is Weight.NONE


def test_jiangsu_speaks_no_family_that_its_text_is_not_known_to_name() -> None:
    profile = load(JIANGSU)
    assert profile.messages == ()
    assert profile.chain == (JIANGSU,)
    assert profile.documents["js"].reviewed is not None
    assert profile.documents["js"].issued is None


def test_thresholds_that_nobody_gives_are_assumed() -> None:
    field = load("pack-can-d0f3")
    assert field.leaf("safety.de_energised_voltage").source.basis is Basis.ASSUMED
    assert field.leaf("swap.stale_interlock").source.basis is Basis.ASSUMED
    stale = field.leaf("swap.stale_information")
    assert (stale.value, stale.source.basis) == (Quantity(Decimal(10), "s"), Basis.OBSERVED)
    assert stale.weight is Weight.PASS_ONLY


def test_variants_of_the_field_are_all_there() -> None:
    field = load("pack-can-d0f3")
    assert field.leaf("bus.bit_rate").choices == (
        Quantity(Decimal(250), "kbit/s"),
        Quantity(Decimal(500), "kbit/s"),
    )
    offset = field.leaf("protocol.temperature_offset")
    assert set(offset.choices) == {Quantity(Decimal(-50), "degC"), Quantity(Decimal(-40), "degC")}
    assert offset.weight is Weight.PASS_ONLY


def test_what_governs_pack_and_station_charging_now() -> None:
    document = load("cn-pack-station-2025").documents["gb"]
    assert document.replaces == "GB/T 32895-2016"
    assert str(document.in_force) == "2025-09-01"


def test_only_the_steel_standard_has_an_emergency_pack() -> None:
    having = {name for name, leaf in LEAVES if leaf.key.startswith("emergency_pack.")}
    assert having == {"cn-js-steel-2023"}


@laid_over
def test_the_overlay_shows_its_value_with_clause_and_file_and_what_was_beneath() -> None:
    leaf = load(OVERLAY).leaf("pack.outline")
    sides = [Quantity(Decimal(each), "mm") for each in (1111, 2222, 3333)]
    assert leaf.value == Outline(*sides)
    assert leaf.source.basis is Basis.STATED
    assert leaf.source.at.endswith(", 0.1")
    assert leaf.file == str(OVERLAY)
    assert leaf.line is not None
    assert OVERLAY.read_text(encoding="utf-8").splitlines()[leaf.line - 1].startswith("outline")
    assert leaf.weight is Weight.FULL
    assert leaf.replaced is not None
    assert (leaf.replaced.profile, leaf.replaced.value) == (JIANGSU, None)


@laid_over
def test_what_the_overlay_leaves_out_stays_unset() -> None:
    overlay = load(OVERLAY)
    assert overlay.chain == (JIANGSU, "lab-overlay")
    entered = {key for key, leaf in overlay.leaves.items() if leaf.profile == "lab-overlay"}
    for key, leaf in load(JIANGSU).leaves.items():
        if key not in entered:
            assert overlay.leaf(key) == leaf


@laid_over
def test_the_overlay_changes_the_message_that_it_names_and_no_other() -> None:
    (messages,) = bind(load(OVERLAY))
    changed = messages.by_name("TemperatureExtremes")
    payload = bytes([90, 90, 90, 0, 0, 0, 0, 0])
    assert changed.period_ms == 250
    declared, read = TemperatureExtremes.decode(payload), changed.decode(payload)
    assert (declared.minimum, declared.maximum) == (40, 40)
    assert (read.minimum, read.maximum) == (50, 40)
    others = [cls for cls in message_set("pack-can-d0f3") if cls is not TemperatureExtremes]
    assert [cls for cls in messages if cls is not changed] == others


@laid_over
@pytest.mark.parametrize(
    ("there", "instead"),
    [
        ('replaces = "unset", at = "text 0.1"', 'at = "text 0.1"'),
        ('replaces = "-50 degC"', 'replaces = "-45 degC"'),
        ("1111 mm", "1111 furlongs"),
        ("minimum]", "minimal]"),
        ('read = "full-text"', 'read = "contents"'),
    ],
)
def test_an_overlay_with_one_mistake_is_refused(there: str, instead: str, tmp_path: Path) -> None:
    text = OVERLAY.read_text(encoding="utf-8")
    assert there in text
    damaged = tmp_path / "damaged.toml"
    damaged.write_text(text.replace(there, instead), encoding="utf-8")
    with pytest.raises(ProfileError, match="damaged"):
        load(damaged)
