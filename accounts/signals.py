"""What the floors above are told. The arrow between the floors forbids calling them."""

from django.dispatch import Signal

#: Sent with `account_ids` and `actor` when accounts are disabled, after the commit and before the reply.
account_disabled = Signal()
#: Sent after the commit when an import waits for the worker.
import_waits = Signal()
