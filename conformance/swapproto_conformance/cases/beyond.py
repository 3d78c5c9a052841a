"""What no CAN bench can decide alone: listed with what it needs, run only when asked for by name."""

from swapproto.messages.gbt27930 import Party, Phase
from swapproto_conformance.case import Case

_ANALOGUE = "an analogue channel on the power terminals: what a message says about it proves nothing"

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
        id="charger.end.manual-stop",
        title="CST after a manual stop",
        title_zh="手动停止",
        iut=Party.CHARGER,
        polarity="positive",
        phase=Phase.END.value,
        labels=("DP.3007",),
        script=(),
        judges=(),
        needs="somebody, or a relay, at the charger's stop button",
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
)
