"""What each reason means, and what a person can do about it, in the order of the gate.

The documentation prints this table, and every answer Rekindle shows takes its words
from it.
"""

from __future__ import annotations

from dataclasses import dataclass

from rekindle.vocabulary import Reason


@dataclass(frozen=True, slots=True)
class ReasonNote:
    """What a reason means and what a person can do about it; for the documentation."""

    reason: Reason
    meaning: str
    remedy: str


REASONS: tuple[ReasonNote, ...] = (
    ReasonNote(
        Reason.EXIT_REACHED,
        "Something that ends the journey happened before this touch.",
        "Nothing: this is the stop doing its work.",
    ),
    ReasonNote(
        Reason.ERASED,
        "The person asked to be forgotten.",
        "Nothing: what is erased stays erased.",
    ),
    ReasonNote(
        Reason.SUPPRESSED,
        "The address must not be contacted again: an opt-out, a complaint or a bounce.",
        "Nothing. After a bounce, ask the person for a working address.",
    ),
    ReasonNote(
        Reason.NO_PERMISSION,
        "Neither a record nor the law of the person's country allows this message; the "
        "rule is shown with it.",
        "Collect express consent, or claim soft_opt_in in rekindle.toml if it applies.",
    ),
    ReasonNote(
        Reason.STALE,
        "The touch is overdue by more than the journey's stale_after.",
        "Keep the worker running, raise stale_after, or loosen what held it.",
    ),
    ReasonNote(
        Reason.CONDITION_NOT_MET,
        "The person did not match the step's when.",
        "Change the condition if it leaves out people it should not.",
    ),
    ReasonNote(
        Reason.SNOOZED,
        "The person asked not to be written to for a while; the touch waits.",
        "Nothing: it goes on by itself, or `rekindle prefer` changes it at their wish.",
    ),
    ReasonNote(
        Reason.PREFERENCE,
        "The person muted this topic (the touch is left out), or wants to hear less often "
        "(it waits).",
        "Nothing, or `rekindle prefer` at their wish.",
    ),
    ReasonNote(
        Reason.EXCLUDED,
        "The business does not write to this person: a bad actor, a poor fit, a lifetime "
        "value below zero, or cooling off after a bad ending.",
        "See which with rekindle explain; `rekindle include` takes back what was set by hand.",
    ),
    ReasonNote(
        Reason.STILL_SUBSCRIBED,
        "The person is a subscriber: their subscription rests, or, where the journey is for those "
        "who left or stay away, runs on. Nobody is won back who is here.",
        "Nothing. A journey for those who rest asks for `subscription_state = 'paused'`; one for "
        "who stays away speaks of subscriptions where it means subscribers too.",
    ),
    ReasonNote(
        Reason.UNREACHABLE,
        "No address is known for this channel.",
        "Import one with the customers.",
    ),
    ReasonNote(
        Reason.BLACKOUT,
        "It is a day on which no marketing leaves; the touch waits.",
        "Nothing, or change [calendar] in rekindle.toml.",
    ),
    ReasonNote(
        Reason.QUIET_HOURS,
        "It is night where the person is, or may be; the touch waits.",
        "Nothing, or change [quiet_hours] in rekindle.toml; import time zones to know more.",
    ),
    ReasonNote(
        Reason.CAP,
        "The person had as many marketing messages as the caps allow; the touch waits.",
        "Nothing, or raise the caps in rekindle.toml.",
    ),
    ReasonNote(
        Reason.OFFER_OVER,
        "The offer of the message ended before it could leave.",
        "Let the offer last longer than messages may wait (stale_after).",
    ),
    ReasonNote(
        Reason.OFFER_OPEN,
        "The person has another offer that is open; the touch waits.",
        "Nothing: nobody has two offers at once. `without_offer: send` lets the message go "
        "without.",
    ),
    ReasonNote(
        Reason.OFFER_WAIT,
        "The person's last offer is over too short a while ago; the touch waits.",
        "Nothing, or change `wait` in [offers] of rekindle.toml.",
    ),
    ReasonNote(
        Reason.NO_OFFER,
        "No offer of the step is for this person now; why is shown with it.",
        "Change `when` in offers.yaml if it leaves out people it should not.",
    ),
    ReasonNote(
        Reason.OFFER_MARGIN,
        "The offer would leave less than the margin floor, or what it would cost cannot be told.",
        "Set `margin` and `basket` in [offers] of rekindle.toml, or give less.",
    ),
    ReasonNote(
        Reason.NO_CODE,
        "The offer has no codes left; the touch waits for some.",
        "`rekindle offers load-codes` or `make-codes`.",
    ),
    ReasonNote(
        Reason.OFFER_SPENT,
        "What is open and what was redeemed of the offer has used its budget up; the touch waits.",
        "Nothing, or raise its `budget` in offers.yaml.",
    ),
    ReasonNote(
        Reason.BUDGET,
        "A budget that binds the message is used up; the touch waits for the next month.",
        "Nothing, or raise the budget in rekindle.toml.",
    ),
    ReasonNote(
        Reason.NOT_WORTH_IT,
        "The touch is expected to earn less than it costs.",
        "Nothing, or correct [[worth]] in rekindle.toml.",
    ),
    ReasonNote(
        Reason.GLOBAL_HOLDOUT,
        "The person is in the holdout of all marketing journeys; another would have been "
        "written to now.",
        "Nothing: it is how all journeys together are measured. `share` in [holdout] sets its "
        "size.",
    ),
    ReasonNote(
        Reason.HELD_OUT,
        "The person is in the holdout; a treated person would have been written to now.",
        "Nothing: the holdout is how the lift is measured.",
    ),
    ReasonNote(
        Reason.WAITING,
        "The person stands at a wait until something happens or the time is up.",
        "Nothing.",
    ),
    ReasonNote(Reason.WAITED, "The wait was over.", "Nothing."),
    ReasonNote(
        Reason.WOKEN, "Something the person did ended the wait.", "Nothing: it is shown with it."
    ),
    ReasonNote(
        Reason.BRANCHED,
        "The person went down a way of a branch, or past it; which is shown with it.",
        "Nothing.",
    ),
    ReasonNote(
        Reason.UNDELIVERABLE,
        "The message could not be handed over and is given up.",
        "Read the provider's answer with rekindle explain; `rekindle outbox` lists all.",
    ),
    ReasonNote(
        Reason.REFUSED,
        "The provider refused the message itself, for its content or its sender.",
        "Read its answer with `rekindle outbox`, correct the template or the set-up.",
    ),
    ReasonNote(
        Reason.NOT_READY,
        "What every message of this step needs is broken or missing, its template or a "
        "setting; the message waits until it is stale.",
        "Mend what is shown with it; `rekindle plan` says whether all is there.",
    ),
    ReasonNote(
        Reason.SET_ASIDE,
        "Nothing could be decided about this person for a fault that is theirs alone; the "
        "others go on, and it is tried again every hour.",
        "Read the fault shown with it and the log, correct the value, or report it.",
    ),
    ReasonNote(
        Reason.LEAVING,
        "The person cancelled or paused, and the biller has not answered yet. Word of a payment "
        "that failed waits: what is not owed any more is not asked for.",
        "Nothing; `rekindle doctor` says for how long the biller has not answered.",
    ),
    ReasonNote(Reason.FINISHED, "The person went through every step.", "Nothing."),
    ReasonNote(Reason.STOPPED, "The journey was stopped.", "Nothing: somebody decided so."),
    ReasonNote(
        Reason.JOINED,
        "Two ids turned out to be one person, who had been through this journey by the other.",
        "Nothing: nobody gets the same twice. `rekindle people split` if they are two.",
    ),
    ReasonNote(
        Reason.EVENT,
        "An event that the journey names as its exit happened.",
        "Nothing: this is the stop doing its work.",
    ),
    ReasonNote(Reason.ORDER, "The person bought again.", "Nothing: this is the aim."),
    ReasonNote(
        Reason.OPT_OUT,
        "The person asked not to be contacted.",
        "Nothing: it takes effect at once and stays.",
    ),
    ReasonNote(
        Reason.COMPLAINT,
        "The person reported a message as spam.",
        "Look at who is written to, how often and with what.",
    ),
    ReasonNote(
        Reason.BOUNCE,
        "The address does not exist or refuses mail for good.",
        "Ask the person for a working address.",
    ),
)
