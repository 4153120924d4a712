"""Looks at everything a workspace depends on, and says what is wrong and what to do.

It changes nothing: no secret is made, no table is brought up to date, nothing is sent.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from functools import partial

from rekindle.billing import build_biller, find_billers
from rekindle.channels import discover, find_costs, find_faults, find_form
from rekindle.consent import PENDING_EVENT
from rekindle.content import MARKETING_VARIABLES, Flaw, find_flaws, load_templates
from rekindle.errors import ConfigError, DeliveryError, RekindleError, WorkspaceError
from rekindle.facts import Engine, Facts
from rekindle.gate import month_of
from rekindle.ledger import (
    AccessNotes,
    AccessTimes,
    ApiKeys,
    BelongingsRegister,
    Instructions,
    Pool,
    Scope,
    Stops,
    connect,
    count_codes,
    count_pending,
    count_reach,
    find_secret,
    fits,
    has_marks,
    is_keyed,
    load_last_notice,
    load_last_pass,
    load_shop_troubles,
    paused_journeys,
    require_home,
    reserved_micros,
    running_versions,
    tally_lists,
)
from rekindle.messages import Severity
from rekindle.profiles import FAMILIES
from rekindle.runtime import Workspace
from rekindle.subscriptions import learn_retry_hour, say_hour
from rekindle.vocabulary import Purpose
from rekindle.wording import counted, moment, numbered
from rekindle.worker.keeping.access import AccessKeeper
from rekindle.worker.keeping.belongings import BelongingsKeeper
from rekindle.worker.keeping.breaking import WHO as BREAKER
from rekindle.worker.keeping.expiring import EVENT as EXPIRING_EVENT
from rekindle.worker.keeping.stocking import open_shop
from rekindle.worker.marking import FILE, Watermark

SHORT_SECRET = 16
OLD_IMPORT = timedelta(days=2)
SILENT = timedelta(days=1)
QUIET_BILLER = timedelta(days=7)
LATE_ACCESS = timedelta(minutes=10)
# Meta takes up to a day; a pass that is away and a second try take the rest.
TAKEN_OFF_WITHIN = timedelta(days=2)
LITTLE_SPACE, NO_SPACE = 2**30, 100 * 2**20


class State(StrEnum):
    """How something is: well, worth a look, or so that nothing may leave."""

    WELL = "well"
    WARNS = "warns"
    REFUSES = "refuses"


STATES = {
    Severity.REFUSES: State.REFUSES,
    Severity.WARNS: State.WARNS,
    Severity.NOTES: State.WELL,
}


@dataclass(frozen=True, slots=True)
class Line:
    """What was found about one thing; ``remedy`` says what to do, where anything is.

    ``cause`` is by what name the team is told of it, once, like ``outlet:sms_twilio``; it is empty
    for what the doctor alone says.
    """

    about: str
    state: State
    found: str
    remedy: str = ""
    cause: str = ""

    @property
    def words(self) -> str:
        """Return what was found and what to do about it."""
        return f"{self.found}; {self.remedy}" if self.remedy else self.found


def examine(workspace: Workspace, *, looks_outside: bool = False) -> list[Line]:
    """Return what was found about a workspace, in the order in which things depend.

    With ``looks_outside`` channels ask others as well, as DNS about the sender's domain.
    """
    checks: tuple[tuple[str, Callable[[Workspace], Iterator[Line]]], ...] = (
        ("settings", _settings),
        ("disk", _disk),
        ("facts", _facts),
        ("scores", _scores),
        ("ledger", _ledger),
    )
    lines = [line for about, check in checks for line in _tried(about, check, workspace)]
    if any(line.about == "ledger" and line.state is State.WELL for line in lines):
        rest = (
            ("secret", _secret),
            ("restore", _mark),
            ("worker", _worker),
            ("templates", _templates),
            ("offers", _offers),
            ("shops", partial(_shops, looks_outside=looks_outside)),
            ("consent", _asking),
            ("people", _people),
            ("messages", _stuck),
            ("outlets", _stops),
            ("journeys", _paused),
            ("budgets", _budgets),
            ("lists", _lists),
            ("keys", _keys),
            ("billing", _billing),
        )
        lines += [line for about, check in rest for line in _tried(about, check, workspace)]
    channels = partial(_channels, looks_outside=looks_outside)
    return lines + list(_tried("channels", channels, workspace))


def find_causes(workspace: Workspace) -> dict[str, str]:
    """Return what stands wrong that the team is told of, in words by cause.

    Raises:
        RekindleError: one thing could not be looked at, so that nobody knows what is over.
    """
    shops = partial(_shops, looks_outside=False)
    checks = (_mark, _offers, shops, _lists, _stops, _paused, _budgets)
    lines = [line for check in checks for line in check(workspace)]
    return {line.cause: line.words for line in lines if line.cause}


def worst_of(lines: list[Line]) -> State:
    """Return the worst state among lines."""
    order = (State.REFUSES, State.WARNS, State.WELL)
    return next((one for one in order if any(line.state is one for line in lines)), State.WELL)


def _tried(
    about: str, check: Callable[[Workspace], Iterator[Line]], workspace: Workspace
) -> Iterator[Line]:
    try:
        yield from check(workspace)
    except RekindleError as error:
        yield Line(about, State.REFUSES, str(error), "see the message")


def _settings(workspace: Workspace) -> Iterator[Line]:
    sources = counted(len(workspace.config.sources), "source")
    yield Line("settings", State.WELL, f"rekindle.toml is valid and names {sources}")


def _disk(workspace: Workspace) -> Iterator[Line]:
    state = workspace.directory / "state"
    free = shutil.disk_usage(state if state.is_dir() else workspace.directory).free
    found = f"{free / 2**30:,.1f} GiB are free"
    if free >= LITTLE_SPACE:
        yield Line("disk", State.WELL, found)
    else:
        severity = State.REFUSES if free < NO_SPACE else State.WARNS
        yield Line("disk", severity, found, "make room, before lake and ledger cannot be written")


def _facts(workspace: Workspace) -> Iterator[Line]:
    try:
        engine, facts = workspace.reading
    except WorkspaceError as error:
        yield Line("facts", State.WARNS, str(error).partition(";")[0], "run `rekindle import`")
        return
    orders, newest = (
        engine.scalar(facts.orders.count()),
        engine.scalar(facts.orders.ordered_at.max()),
    )
    last = f", the newest of {moment(newest, workspace.zone)}" if newest else ""
    known = [(int(orders or 0), "order"), (count_subscriptions(engine, facts), "subscription")]
    said = " and ".join(counted(count, what) for count, what in known if count) or "no order"
    yield Line("facts", State.WELL, f"{said} can be read{last}")
    if rates := facts.say_rates():
        yield Line("rates", State.WELL, rates)
    imports = (facts.bookkeeping or {}).get("imports")
    if imports is None:
        return
    at = engine.scalar(imports.imported_at.max())
    if at is None:
        return
    age = workspace.clock.now() - at
    when = f"the last import was at {moment(at, workspace.zone)}"
    if age > OLD_IMPORT:
        yield Line("import", State.WARNS, when, "purchases since then end no journey; import")
    else:
        yield Line("import", State.WELL, when)


def count_subscriptions(engine: Engine, facts: Facts) -> int:
    """Return how many subscriptions the facts know, 0 where there are none."""
    if not facts.has_subscriptions:
        return 0
    return int(engine.scalar(facts.more["subscriptions"].count()) or 0)


def _scores(workspace: Workspace) -> Iterator[Line]:
    """Yield whether what models foresee still counts, where somebody counts on it."""
    is_daily = workspace.config.scores.daily
    if not workspace.has_facts or not (workspace.facts.has_scores or is_daily):
        return
    from rekindle.predictions import tell_staleness

    engine, facts = workspace.reading
    found, _, remedy = tell_staleness(facts, engine.run, workspace.clock.now()).partition("; ")
    if found:
        remedy = "`rekindle log scores` says why the worker did not" if is_daily else remedy
        yield Line("scores", State.WARNS, found, remedy)
    else:
        yield Line("scores", State.WELL, "the scores of customers count")


def _ledger(workspace: Workspace) -> Iterator[Line]:
    if not workspace.has_ledger:
        yield Line("ledger", State.WARNS, "there is no ledger yet", "the first pass makes one")
        return
    alias = connect(workspace.config.ledger.url, base=workspace.directory)
    require_home(alias)
    if pending := count_pending(alias):
        yield Line(
            "ledger",
            State.WARNS,
            f"it answers, and lacks {counted(pending, 'change')} of this version's layout",
            "back it up; the next command that uses it brings it up to date",
        )
    else:
        yield Line("ledger", State.WELL, "it answers, in this version's layout")


def _secret(workspace: Workspace) -> Iterator[Line]:
    alias, secret = workspace.ledger, find_secret(workspace.directory)
    back = "put it back from the backup; if it is lost for good, `rekindle accept-secret`"
    if secret is None:
        if is_keyed(alias):
            yield Line("secret", State.REFUSES, "it is gone, and the ledger knows one", back)
        else:
            yield Line("secret", State.WELL, "there is none yet; it is made when it is needed")
    elif not fits(alias, secret):
        yield Line("secret", State.REFUSES, "the ledger was written with another one", back)
    elif len(secret) < SHORT_SECRET:
        yield Line(
            "secret", State.WARNS, f"it has {len(secret)} bytes", "a guessed one signs any link"
        )
    else:
        yield Line("secret", State.WELL, "it is the one the ledger was written with")


def _mark(workspace: Workspace) -> Iterator[Line]:
    gap = Watermark(workspace).find_gap()
    if gap is not None:
        yield Line(
            "restore",
            State.REFUSES,
            f"the ledger is older than what was sent from here; it lacks {gap}",
            "restore a newer copy, or record the opt-outs it lacks and `rekindle accept-restored`",
            "restore:older",
        )
    elif has_marks(workspace.ledger) and not (workspace.directory / FILE).exists():
        yield Line(
            "restore",
            State.WARNS,
            "the ledger was used from another folder, and none here remembers how far it had come",
            "if it came from a backup, pause the journeys before the first pass",
        )
    else:
        yield Line("restore", State.WELL, "the ledger is the newest that was used here")


def _worker(workspace: Workspace) -> Iterator[Line]:
    last = load_last_pass(workspace.ledger)
    running = len(running_versions(workspace.ledger))
    journeys = counted(running, "journey")
    if last is None:
        state = State.WARNS if running else State.WELL
        found = f"no worker has passed yet; {journeys} running"
        yield Line(
            "worker", state, found, "run `rekindle up` or `rekindle tick`" if running else ""
        )
        return
    found = f"the last pass was at {moment(last, workspace.zone)}; {journeys} running"
    if running and workspace.clock.now() - last > SILENT:
        yield Line("worker", State.WARNS, found, "start `rekindle up` or `rekindle worker`")
    else:
        yield Line("worker", State.WELL, found)


def _templates(workspace: Workspace) -> Iterator[Line]:
    versions = running_versions(workspace.ledger)
    if not versions:
        return
    templates = load_templates(workspace.directory / "templates")
    broken, url = False, workspace.config.shop.url
    flaws: dict[Flaw, None] = {}
    for version in versions:
        journey = version.journey
        required = MARKETING_VARIABLES if journey.purpose is Purpose.MARKETING else ()
        for one, channel in sorted(
            {(one, send.channel) for send in journey.sends for one in send.wordings},
            key=lambda use: (use[0].template, use[1], use[0].subject),
        ):
            name, form = templates.worded(one.template, one.subject), find_form(channel)
            try:
                templates.check(name, FAMILIES.names, required=required, form=form)
                flaws |= dict.fromkeys(find_flaws(templates, name, form, shop_url=url))
            except RekindleError as error:
                broken = True
                remedy = f"mend it; until then those steps of {journey.name} wait"
                yield Line("templates", State.WARNS, str(error), remedy)
    for flaw in flaws:
        # What may be better keeps nothing from being well.
        state = State.WARNS if flaw.check.refuses else State.WELL
        yield Line("templates", state, str(flaw), flaw.check.meaning)
    if not broken:
        yield Line("templates", State.WELL, "every running journey's templates can be used")


def _offers(workspace: Workspace) -> Iterator[Line]:
    """Yield what keeps the messages back that running journeys give offers with."""
    offers = workspace.offers.require_sound()
    versions = running_versions(workspace.ledger)
    wanted = {s.offer for one in versions for s in one.journey.sends if s.offer is not None}
    if not wanted:
        return
    pools = count_codes(workspace.ledger, offers)
    options = {str(one): list(offers.candidates(one)) for one in wanted}
    for name in sorted(name for name, found in options.items() if not found):
        remedy = "put it back into offers.yaml, or change the journey"
        yield Line("offers", State.WARNS, f"a running journey gives {name}, which is gone", remedy)
    needed = {one.offer for found in options.values() for one in found}
    dry = sorted(n for n in needed & {*offers.with_own_codes} if not pools.get(n, Pool()).free)
    filling = {
        name: "`rekindle offers load-codes` or `make-codes`"
        if (shop := offers.terms[name].made_at) is None
        else f"look why {shop} makes none"
        for name in offers.with_own_codes
    }
    for name in dry:
        remedy = f"{filling[name]}; its messages wait until then"
        yield Line("offers", State.WARNS, f"no code of {name} is left", remedy, f"codes:{name}")
    few = workspace.config.alerts.codes_left
    for name in sorted((needed & {*offers.with_own_codes}) - {*dry}):
        if (free := pools[name].free) <= few:
            remedy = f"{filling[name]}, before there are none"
            found = f"{counted(free, 'code')} of {name} {numbered(free, 'is')} left"
            yield Line("offers", State.WARNS, found, remedy, f"codes:{name}")
    if not dry and all(options.values()):
        found = f"{counted(len(needed), 'offer')} can be given"
        yield Line("offers", State.WELL, found)


def _shops(workspace: Workspace, *, looks_outside: bool) -> Iterator[Line]:
    """Yield what keeps shops from making codes of offers, and from ending them."""
    terms = workspace.offers.terms.values()  # that they cannot be read is said elsewhere
    wanted = sorted({one.made_at for one in terms if one.made_at is not None})
    troubles = load_shop_troubles(workspace.ledger)
    for one in troubles:
        codes, cause = counted(one.count, "code"), f"codes:{one.shop}-{one.standing}"
        if one.is_ending:
            found = f"{codes} of offers that are over could not be ended at {one.shop}: {one.why}"
            remedy = "it is tried again; until then whoever has one can use it"
        else:
            found = f"{codes} could not be made at {one.shop}: {one.why}"
            remedy = "it is tried again; messages wait once there is none left"
        yield Line("shops", State.WARNS, found, remedy, cause)
    for word in wanted:
        try:
            with open_shop(workspace, word) as shop:
                told = f"answers: {shop.look()}" if looks_outside else "is set"
            yield Line("shops", State.WELL, f"{word} {told}")
        except DeliveryError as error:
            yield Line("shops", State.WARNS, f"{word}: {error}", "mend it, or no codes are made")


def _asking(workspace: Workspace) -> Iterator[Line]:
    """Yield the events the settings let begin, at which no running journey asks anybody."""
    settings = workspace.config.consent
    begun = {
        one.journey.trigger.event
        for one in running_versions(workspace.ledger)
        if one.journey.trigger is not None
    }
    wanted = (
        ("double_opt_in", settings.asks_again, PENDING_EVENT, "confirm-consent"),
        ("ask_before", settings.ask_before, EXPIRING_EVENT, "stay-in-touch"),
    )
    for key, given, event, starter in wanted:
        if given and event not in begun:
            found = f"[consent] {key} is set, but no running journey begins on {event}"
            remedy = f"nobody is asked until one does, like the starter {starter}"
            yield Line("consent", State.WARNS, found, remedy)


def _people(workspace: Workspace) -> Iterator[Line]:
    waiting = _waiting_cards(workspace)
    if waiting:
        found = (
            f"{counted(waiting, 'card')} in the facts; the first pass carries them into the ledger"
        )
        yield Line("people", State.WELL, found)
        return
    reached = {
        channel: count_reach(
            workspace.ledger, channel, can.address_kind, needs_consent=can.needs_consent
        )
        for channel, can in workspace.capabilities.items()
    }
    # A channel that no journey writes by lacks nobody's consent, unless everybody's is lacking.
    used = {
        send.channel
        for version in running_versions(workspace.ledger)
        for send in version.journey.sends
    }
    is_nobody = not any(reach.agreed for reach in reached.values())
    for channel, reach in reached.items():
        found = (
            f"{channel}: of {counted(reach.people, 'person')}, {reach.agreed:,} may and "
            f"can be reached; {reach.silent:,} said nothing, {reach.withdrew:,} said no, "
            f"{reach.unreachable:,} have no address, {reach.suppressed:,} are suppressed"
        )
        is_poor = bool(reach.people) and not reach.agreed and (channel in used or is_nobody)
        remedy = "import addresses and consents; without them nobody can be written to"
        state = State.WARNS if is_poor else State.WELL
        yield Line("people", state, found, remedy if is_poor else "")


def _waiting_cards(workspace: Workspace) -> int:
    """Return how many people have cards in the facts, while the ledger has nobody's yet."""
    if not workspace.has_facts or workspace.book.told():
        return 0
    engine, facts = workspace.reading
    return int(engine.scalar(facts.customers.customer_id.nunique()))


def _stuck(workspace: Workspace) -> Iterator[Line]:
    stuck = len(workspace.outbox.stuck())
    if stuck:
        found = f"{counted(stuck, 'message')} of unknown fate, or given up"
        yield Line("messages", State.WARNS, found, "see `rekindle outbox`")
    else:
        yield Line("messages", State.WELL, "none is stuck")


def _lists(workspace: Workspace) -> Iterator[Line]:
    """Say of which lists somebody is still to be taken off though it was asked for days ago."""
    at = workspace.clock.now()
    late = [
        one
        for one in tally_lists(workspace.ledger)
        if one.oldest_at is not None and at - one.oldest_at > TAKEN_OFF_WITHIN
    ]
    for one in late:
        found = (
            f"{counted(one.requested + one.taken, 'removal')} from {one.destination} "
            f"({one.outlet}) asked for and not effective, the oldest since "
            f"{moment(one.oldest_at or at, workspace.zone)}"
        )
        found += f": {one.error}" if one.error else ""
        remedy = "mend what is said, or take them off in the ad system by hand"
        cause = f"lists:{one.outlet}/{one.destination}"
        yield Line("lists", State.WARNS, found, remedy, cause)


def _stops(workspace: Workspace) -> Iterator[Line]:
    """Say which of the outlets in use are stopped; of others nothing waits."""
    stops = Stops(workspace.ledger).all()
    for name, folder in discover().items():
        stop = stops.get(workspace.config.channel(folder.channel).outlet)
        if stop is None:
            continue
        since = f"{stop.outlet} sends nothing since {moment(stop.at, workspace.zone)}"
        resume = f"`rekindle outbox resume {stop.outlet}`"
        if stop.resumed_at is None:
            found, remedy = f"{since}: {stop.reason}", f"mend it, then {resume}"
        else:
            found = f"{since}; it was resumed, and one message will try it out"
            remedy = "the next pass sends it, where any waits"
        state = State.REFUSES if stop.resumed_at is None else State.WARNS
        yield Line(name, state, found, remedy, f"outlet:{stop.outlet}")


def _paused(workspace: Workspace) -> Iterator[Line]:
    """Say which journeys their breaker paused; who paused one by hand knows of it."""
    for name in paused_journeys(workspace.ledger):
        entries = workspace.audit_log.entries(name)
        last = next((one for one in entries if one.action == "paused"), None)
        if last is not None and last.who == BREAKER:
            found = f"{name} paused itself at {moment(last.at, workspace.zone)}"
            if why := ", ".join(f"{key} {value}" for key, value in last.detail.items()):
                found += f" ({why})"
            remedy = "look at what its messages met with, then `rekindle resume`"
            yield Line("journeys", State.WARNS, found, remedy, f"journey:{name}")


def _budgets(workspace: Workspace) -> Iterator[Line]:
    """Say which budgets pay for no message any more this month."""
    month = month_of(workspace.clock.now(), workspace.zone)
    reserved = reserved_micros(workspace.ledger, month)
    for budget in workspace.terms.budgets:
        costs = [
            micros
            for channel, micros in find_costs(workspace.config).items()
            if micros and budget.channel in (None, channel)
        ]
        left = budget.limit_micros - reserved.get(budget.name, 0)
        if costs and left < min(costs):
            found = f"the budget {budget.name} of {month} is spent"
            remedy = "what it pays for waits for the next month, or for a larger one"
            yield Line("budgets", State.WARNS, found, remedy, f"budget:{budget.name} {month}")


def _keys(workspace: Workspace) -> Iterator[Line]:
    active = [key for key in ApiKeys(workspace.ledger).all() if key.revoked_at is None]
    old = [key.name for key in active if Scope.BEHAVIOUR in key.scopes]
    if old:
        found = f"{', '.join(old)} of the scope behaviour may report logins and events of any name"
        yield Line("keys", State.WARNS, found, "make keys of the scope browser for pages")
    elif active:
        yield Line("keys", State.WELL, f"{counted(len(active), 'key')} to the API")


def _billing(workspace: Workspace) -> Iterator[Line]:
    """Say where the biller is to send its notices, and whether it does."""
    settings = workspace.config.billing
    if not settings.provider:
        return
    try:
        build_biller(settings)
    except ConfigError as error:
        yield Line("billing", State.WARNS, str(error), "until then its notices are not taken")
        return
    folder = find_billers()[settings.provider]
    address = workspace.config.portal.page("v1/notices", folder.name)
    of = f", version {folder.version}" if folder.version else ""
    told = f"register {address} at {folder.called}{of}, for {', '.join(folder.notices)}"
    last, zone = load_last_notice(workspace.ledger, folder.name), workspace.zone
    if last is None:
        yield Line("billing", State.WARNS, f"no notice of {folder.called} came yet", told)
    elif workspace.clock.now() - last > QUIET_BILLER:
        found = f"the last notice of {folder.called} came on {moment(last, zone)}"
        yield Line("billing", State.WARNS, found, told)
    else:
        found = (
            f"{folder.called} sends its notices to {address}, the last one on {moment(last, zone)}"
        )
        yield Line("billing", State.WELL, found)
    yield from _retries(workspace)
    yield from _accesses(workspace)
    yield from _belongings(workspace)
    yield from _instructions(workspace)


def _retries(workspace: Workspace) -> Iterator[Line]:
    """Say at which hour failed payments are tried again, and why."""
    settings = workspace.config.billing
    if settings.retries and settings.retry_hour == "learnt" and workspace.has_facts:
        engine, facts = workspace.reading
        choice = learn_retry_hour(facts, engine.run, as_of=workspace.clock.now())
        yield Line("billing", State.WELL, f"retries are made {say_hour(choice)}")


def _instructions(workspace: Workspace) -> Iterator[Line]:
    """Say what subscribers told the biller that waits for long, or could not be done."""
    now, provider = workspace.clock.now(), workspace.config.billing.provider
    undone = Instructions(workspace.ledger, provider).undone(now - timedelta(days=30))
    late = [one for one in undone if one.is_waiting and now - one.asked_at > LATE_ACCESS]
    if late:
        since = moment(late[0].asked_at, workspace.zone)
        found = f"not done yet since {since}: {counted(len(late), 'instruction')} of subscribers"
        yield Line(
            "billing", State.WARNS, found, "see the log; the biller is asked again by itself"
        )
    if failed := [one for one in undone if not one.is_waiting]:
        named = ", ".join(f"{one.kind} of {one.subscription}" for one in failed[-3:])
        found = f"{counted(len(failed), 'instruction')} of subscribers could not be done: {named}"
        yield Line("billing", State.WARNS, found, "see how it stands at the biller, and tell them")


def _accesses(workspace: Workspace) -> Iterator[Line]:
    """Say how long it takes from a payment until the business's system restored access."""
    if not (url := workspace.config.billing.access_url):
        return
    now = workspace.clock.now()
    times = AccessNotes(workspace.ledger).times(now - timedelta(days=30))
    if trouble := AccessKeeper(workspace).trouble:
        yield Line("access", State.REFUSES, "nobody is told that access is restored", trouble)
    elif times.oldest_at is not None and now - times.oldest_at > LATE_ACCESS:
        since = moment(times.oldest_at, workspace.zone)
        found = f"{counted(times.waiting, 'payment')} could not be told to {url}, since {since}"
        yield Line("access", State.WARNS, found, "see the log; it is told again by itself")
    else:
        yield Line("access", State.WELL, _told_times(times))


def _belongings(workspace: Workspace) -> Iterator[Line]:
    """Say whether the business's system answers what becomes of what it keeps for who left."""
    if not (url := workspace.config.subscriptions.kept.url):
        return
    waiting, next_at, why = BelongingsRegister(workspace.ledger).waiting()
    if trouble := BelongingsKeeper(workspace).trouble:
        yield Line("kept", State.REFUSES, "nobody is asked about what is kept", trouble)
    elif waiting and next_at is not None:
        found = f"{counted(waiting, 'question')} about what is kept could not be put to {url}"
        remedy = f"it is asked again from {moment(next_at, workspace.zone)}; the last said: {why}"
        yield Line("kept", State.WARNS, found, remedy)
    else:
        yield Line("kept", State.WELL, f"{url} is asked before what is kept ends")


def _told_times(times: AccessTimes) -> str:
    half, most = times.quantile(0.5), times.quantile(0.99)
    if half is None or most is None:
        return "nobody's access was to be restored within 30 days"
    often = counted(len(times.seconds), "payment")
    seconds = f"p50 {half:.1f} s, p99 {most:.1f} s"
    return f"access restored after {often} of the last 30 days: {seconds} after the payment"


def _channels(workspace: Workspace, *, looks_outside: bool) -> Iterator[Line]:
    for name, folder in discover().items():
        settings = workspace.config.channel(folder.channel)
        around = workspace.surroundings
        found = list(find_faults(folder, settings, around, looks_outside=looks_outside))
        for one in found:
            yield Line(name, STATES[one.severity], one.problem, one.remedy)
        if all(one.severity is Severity.NOTES for one in found):
            yield Line(name, State.WELL, f"leaves by {settings.outlet}")
