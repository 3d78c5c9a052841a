"""The one way out for orders: nothing else in this package can send one."""

from collections import deque
from collections.abc import Mapping

from swapproto.frame import Instant
from swapproto.session.swap.conditions import Conditions
from swapproto.session.swap.interlocks import Rule, examine
from swapproto.session.swap.messages import Halt, Order
from swapproto.session.swap.refusal import Fault, Refusal
from swapproto.session.swap.view import View


class Gate:
    """Lets an order pass if its interlock holds on the view at that instant, and keeps it until it is polled.

    While ``held`` only Halt passes.
    """

    def __init__(self, view: View, rules: Mapping[Rule, Conditions], limit: int) -> None:
        self.held = False
        self._view = view
        self._rules = rules
        self._limit = limit
        self._passed: deque[Order] = deque()

    def offer(self, order: Order, now: Instant) -> Refusal | None:
        """Why an order does not pass now, None where it does."""
        if self.held and not isinstance(order, Halt):
            return Refusal(
                type(order).__name__, "hold", (Fault("an operator decides", None, None, stale=False),)
            )
        refusal = examine(order, self._view, now, rules=self._rules, limit=self._limit)
        if refusal is None:
            self._passed.append(order)
        return refusal

    def poll(self) -> Order | None:
        """The next order that may leave now."""
        return self._passed.popleft() if self._passed else None

    def recall(self) -> bool:
        """Take back what nobody polled: it was right for an instant that is over. True if there was any."""
        stays = [order for order in self._passed if isinstance(order, Halt)]
        recalled = len(stays) < len(self._passed)
        self._passed.clear()
        self._passed.extend(stays)
        return recalled
