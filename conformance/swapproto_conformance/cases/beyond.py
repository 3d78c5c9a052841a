"""What no CAN bench can decide alone: listed with what it needs, run only when asked for by name."""

from swapproto.messages.gbt27930 import Party, Phase
from swapproto_conformance.case import Case

_ANALOGUE = "an analogue channel on the power terminals: what a message says about it proves nothing"

AUXILIARY = (
    "vehicles on the charger's auxiliary supply only (amendment 1 to GB/T 34658-2017 [reported, one source])"
)

CASES = (
    Case(
        id="charger.handshake.insulation-test",
        title="The insulation test before CRM",
        title_zh="绝缘检测",
        iut=Party.CHARGER,
        polarity="positive",
        phase=Phase.HANDSHAKE.value,
        script=(),
        judges=(),
        needs=_ANALOGUE,
    ),
    Case(
        id="charger.end.current-falls",
        title="Current below 5 A after the stop",
        title_zh="停止后电流降至5 A以下",
        iut=Party.CHARGER,
        polarity="positive",
        phase=Phase.END.value,
        script=(),
        judges=(),
        needs=_ANALOGUE,
    ),
    Case(
        id="charger.charging.no-public-verdict",
        title="GB/T 34658 cases whose verdict is not public",
        title_zh="判据未公开的用例",
        iut=Party.CHARGER,
        polarity="positive",
        phase=Phase.CHARGING.value,
        labels=("DP.2002", "DP.3001", "DP.3002", "DP.3004", "DP.3005"),
        script=(),
        judges=(),
        needs="the text of GB/T 34658: the expected result is unset",
    ),
    Case(
        id="pack.no-public-title",
        title="GB/T 34658 cases for vehicles whose stimulus is not public",
        title_zh="激励未公开的车辆用例",
        iut=Party.BMS,
        polarity="positive",
        phase=Phase.CHARGING.value,
        labels=(
            *(f"BP.{number}" for number in (*range(1001, 1004), *range(2001, 2004), *range(3001, 3006))),
            *("BP.4001", "BP.4002"),
            *(f"BN.{number}" for number in (*range(1003, 1011), *range(2001, 2008), *range(3001, 3009))),
            *(f"BN.{number}" for number in range(4001, 4004)),
        ),
        script=(),
        judges=(),
        needs="the text of GB/T 34658: stimulus and expected result are unset",
    ),
    Case(
        id="pack.handshake.auxiliary-supply",
        title="GB/T 34658 cases for vehicles on the auxiliary supply",
        title_zh="使用低压辅助电源的车辆用例",
        iut=Party.BMS,
        polarity="positive",
        phase=Phase.HANDSHAKE.value,
        labels=("BN.1002", "BP.4003"),
        applies=AUXILIARY,
        script=(),
        judges=(),
        needs="the text of GB/T 34658: stimulus and expected result are unset",
    ),
)
