"""Can these two meet? The network of the pilot, then two devices as their makers describe them."""

from swapproto.compat import Verdict, check, load_scenario, matrix
from swapproto.compat.load import parse_descriptor

pilot = load_scenario()
network = matrix(pilot)
counts = ", ".join(f"{network.count(verdict)} {verdict.value}" for verdict in Verdict)
print(f"{pilot.title}: {counts}")

swap = check(pilot["a-282"], pilot["zhenjiang-dagang"], pilot["nanjing-tractor"])
print("a truck from Nanjing in Zhenjiang:", swap.verdict.value, "(supposed)" if swap.supposed else "")

refused = check(pilot["e-heavy"], pilot["zhenjiang-dagang"])
for each in refused.reasons:
    print("refused:", each.rule.title, "-", each.reason)

pack = parse_descriptor(
    """
schema = 1
[descriptor]
kind = "pack"
id = "mine"
[mechanical]
handling = "hoist"
mass = "2.9 t"
""",
    "mine.toml",
)
station = parse_descriptor(
    """
schema = 1
[descriptor]
kind = "station"
id = "yours"
[mechanical]
handling = "hoist"
mass_limit = { value = "3 t", basis = "assumed", why = "the plate cannot be read" }
""",
    "yours.toml",
)
answer = check(pack, station)
print("mine at yours:", answer.verdict.value)
for settle in answer.settles[:3]:
    print("would settle it:", settle.text)
