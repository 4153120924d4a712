"""The command ``init``: shows what a file seems to hold, is corrected, makes a workspace."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rekindle.cli.console import errors, grouped, open_at, output, show_table
from rekindle.cli.facts import run_import, show_files
from rekindle.cli.keeping.billing import pull_from
from rekindle.clock import SystemClock
from rekindle.config import DEFAULT_CURRENCY, BillingSettings, check_zone
from rekindle.errors import SourceError, UsageError, WorkspaceError

if TYPE_CHECKING:
    from rekindle.billing import FirstLook
    from rekindle.facts import Answers, Proposal

KINDS = (
    "orders",
    "customers",
    "plans",
    "subscriptions",
    "invoice_lines",
    "cancellations",
    "invoices",
    "payments",
    "payment_methods",
)
# What a file of orders is, rows tell; what others are is what they were given as.
TABLES = {
    "orders": ("orders", "order_lines"),
    "subscriptions": ("subscriptions", "invoice_lines"),
}
BY_NAME = KINDS[2:]
LONGEST_SAMPLE = 40
OF_THE_FILE = ("encoding", "delimiter", "table")
# gross=Total, discount= (left out), customers.email=Mail, ordered_at:%m/%d/%Y
ANSWER = re.compile(rf"\s*(?:({'|'.join(KINDS)})\.)?(\w+)\s*([=:])\s*(.*?)\s*")
QUESTION = (
    "What is wrong? Say gross=Subtotal, or discount= to leave it out, or "
    "ordered_at:%m/%d/%Y for how it is written; nothing to stop"
)


def register(app: typer.Typer) -> None:
    """Add this file's commands."""
    app.command("init")(grouped(init))


@dataclass(frozen=True, slots=True)
class Business:
    """What a new workspace says of the business."""

    name: Annotated[str, typer.Option(help="The name people know the business by.")] = "My shop"
    currency: Annotated[
        str | None,
        typer.Option(
            help="ISO 4217 code of the amounts.", show_default="what the file names, else GBP"
        ),
    ] = None
    timezone: Annotated[str, typer.Option(help="IANA zone of the business.")] = "UTC"


USUAL = Business()


@dataclass(frozen=True, slots=True)
class Files:
    """The files a workspace begins with, by what they hold."""

    orders: Annotated[
        Path | None, typer.Option("--orders", help="A file of orders or order lines.")
    ] = None
    customers: Annotated[
        Path | None, typer.Option("--customers", help="A file of customers and their consent.")
    ] = None
    plans: Annotated[
        Path | None, typer.Option("--plans", help="A file of what can be subscribed to.")
    ] = None
    subscriptions: Annotated[
        Path | None,
        typer.Option("--subscriptions", help="A file of subscriptions and what they cost."),
    ] = None
    invoice_lines: Annotated[
        Path | None,
        typer.Option(
            "--invoice-lines",
            help="A file of lines of invoices: subscriptions are made of them.",
        ),
    ] = None
    cancellations: Annotated[
        Path | None, typer.Option("--cancellations", help="A file of who cancelled, and why.")
    ] = None
    invoices: Annotated[
        Path | None,
        typer.Option("--invoices", help="A file of what subscribers were asked to pay."),
    ] = None
    payments: Annotated[
        Path | None, typer.Option("--payments", help="A file of attempts, the failed ones too.")
    ] = None
    payment_methods: Annotated[
        Path | None,
        typer.Option("--payment-methods", help="A file of cards: brand, last four, expiry."),
    ] = None

    def named(self) -> list[tuple[str, Path]]:
        """Return those that were given, with what they hold."""
        found = ((kind, getattr(self, kind)) for kind in KINDS)
        return [(kind, path) for kind, path in found if path is not None]


NONE = Files()


@dataclass(frozen=True, slots=True)
class FromBiller:
    """Whose subscriptions a workspace begins with, in place of files."""

    biller: Annotated[
        str,
        typer.Option(
            "--biller",
            metavar="NAME",
            help="Begin with what a biller has, as stripe; its keys are in the environment.",
        ),
    ] = ""
    account: Annotated[
        str, typer.Option("--account", help="The account at the biller; at Chargebee the site.")
    ] = ""
    customer_key: Annotated[
        str,
        typer.Option("--customer-key", help="Where the biller keeps your own customer id."),
    ] = ""
    biller_url: Annotated[
        str, typer.Option("--biller-url", help="Where it is asked, if not at its own address.")
    ] = ""

    def settings(self) -> BillingSettings:
        """Return them as the section of a workspace.

        Raises:
            UsageError: one of them cannot be used.
        """
        try:
            return BillingSettings(
                provider=self.biller,
                account=self.account,
                customer_key=self.customer_key,
                url=self.biller_url,
            )
        except ValueError as error:
            raise UsageError("--biller-url is no address like https://biller.example") from error


NOBODY = FromBiller()


def init(
    directory: Annotated[Path, typer.Argument(help="The folder of the new workspace.")],
    given: Files = NONE,
    business: Business = USUAL,
    billed: FromBiller = NOBODY,
    take: Annotated[
        list[str] | None,
        typer.Option(
            "--take",
            metavar="COLUMN=HEADER",
            help="Correct the proposal: gross=Subtotal, discount= (left out), ordered_at:%d.%m.%Y "
            "(how it is written), encoding=cp1250; customers.email=Mail for the other file.",
        ),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Take the proposal without asking.")] = False,
) -> None:
    """Look at a file of orders or subscriptions, propose what is what, and create a workspace.

    With --biller the facts come from who bills the subscriptions, and nothing is asked.
    """
    from rekindle.desk import Scaffold, create_workspace, source_path
    from rekindle.facts import Answers

    directory = directory.resolve()
    if (directory / "rekindle.toml").exists():
        raise WorkspaceError(f"{directory} is a workspace already; edit its rekindle.toml")
    files = given.named()
    try:
        check_zone(business.timezone)  # before a file is read by it
    except ValueError as error:
        raise UsageError(f"--timezone: {error}") from error
    code = business.currency.upper() if business.currency else None
    look = _look_at(billed)
    if look is not None:
        code = code or look.currency or None
    sources = []
    for kind, path in files:
        table = kind if kind in BY_NAME else None
        only = len(files) == 1
        prefix = "" if only or kind == "orders" else f"{kind}."
        start = Answers(table=table, prefix=prefix)
        answers = _answered(start, take or (), kind=kind, only=only)
        talk = _Talk(path, kind, business.timezone, code, yes=yes)
        proposal = talk.settle(answers)
        code = code or proposal.currency
        sources.append(proposal.as_source(kind, source_path(path, directory)))
    scaffold = Scaffold(
        business.name,
        code or DEFAULT_CURRENCY,
        business.timezone,
        tuple(sources),
        billed.settings(),
    )
    create_workspace(directory, scaffold)
    errors.print(f"created {directory}", markup=False)
    if sources:
        run_import(open_at(directory, None), as_json=False, tolerate=0.0)
    if look is not None:
        _fill(directory, look)
    if sources or (look is not None and look.has_subscriptions):
        errors.print(f"next: rekindle audit -C {directory}", markup=False)


def _look_at(billed: FromBiller) -> FirstLook | None:
    """Ask the biller before anything is written, None where none is named."""
    from rekindle.billing import look_first

    if billed.biller:
        return look_first(billed.settings())
    if billed != NOBODY:
        raise UsageError("--account, --customer-key and --biller-url go with --biller NAME")
    return None


def _fill(directory: Path, look: FirstLook) -> None:
    """Bring what the biller has, and say where its keys have to stay."""
    keys = " and ".join(look.secrets)
    errors.print(f"{look.called} is asked with {keys}: keep them in the environment", markup=False)
    if not look.has_subscriptions:
        errors.print(
            f"{look.called} has no subscription yet; when it has: rekindle pull -C {directory}",
            markup=False,
        )
        return
    show_files(pull_from(open_at(directory, None)), as_json=False)


class _Talk:
    """The talk about one file: proposal, answer, proposal, until somebody takes it."""

    def __init__(
        self, path: Path, kind: str, zone: str, currency: str | None, *, yes: bool
    ) -> None:
        self._path, self._kind, self._zone, self._currency = path, kind, zone, currency
        self._yes = yes

    def settle(self, answers: Answers) -> Proposal:
        """Return the proposal that was taken.

        Raises:
            SourceError: none was.
        """
        proposal = self._propose(answers)
        while True:
            _show_proposal(self._path, proposal)
            if proposal.table not in TABLES.get(self._kind, (self._kind,)):
                raise SourceError(f"{self._path} looks like {proposal.table}, not {self._kind}")
            if self._yes or typer.confirm("Take this?", default=True, err=True):
                return proposal
            answers, proposal = self._ask(answers)

    def _propose(self, answers: Answers) -> Proposal:
        from rekindle.facts import propose_source

        return propose_source(
            self._path,
            zone=self._zone,
            currency=self._currency,
            now=SystemClock().now(),
            answers=answers,
        )

    def _ask(self, answers: Answers) -> tuple[Answers, Proposal]:
        """Return the answers with one more, and their proposal, asked until there is one."""
        while True:
            try:
                said = typer.prompt(QUESTION, default="", show_default=False, err=True)
            except (typer.Abort, OSError):  # nobody is there to answer
                said = ""
            if not said.strip():
                raise SourceError(
                    "nothing was written; begin again with --take, like --take gross=Subtotal, "
                    "or take it with --yes"
                )
            try:
                changed = _answered(answers, said.split(","), kind=self._kind, only=True)
                return changed, self._propose(changed)
            except (SourceError, UsageError) as error:
                errors.print(f"error: {error}", markup=False, soft_wrap=True)


def _answered(answers: Answers, said: Sequence[str], *, kind: str, only: bool) -> Answers:
    """Return the answers with those of ``said`` that are about this kind of file."""
    columns, formats = dict(answers.columns), dict(answers.formats)
    whole: dict[str, str] = {}
    for text in said:
        found = ANSWER.fullmatch(text)
        if found is None:
            raise UsageError(
                f"{text!r} is no answer; write COLUMN=HEADER, COLUMN= or COLUMN:FORM, like "
                "gross=Subtotal"
            )
        of, name, sign, value = found.groups()
        if (of or ("orders" if not only else kind)) != kind:
            continue
        if name in OF_THE_FILE:
            whole[name] = value
        elif sign == "=":
            columns[name] = value
        else:
            formats[name] = value
    return replace(answers, columns=columns, formats=formats, **whole)


def _shortened(sample: str) -> str:
    return sample if len(sample) <= LONGEST_SAMPLE else f"{sample[:LONGEST_SAMPLE]}…"


def _show_proposal(path: Path, proposal: Proposal) -> None:
    rows = [
        [one.name, one.column, ", ".join(map(_shortened, one.samples[:3])), one.why]
        for one in proposal.columns
    ]
    table = proposal.table.replace("_", " ")
    known = f"{proposal.preset} ({table})" if proposal.preset else table
    title = f"{path.name} looks like {known}"
    show_table(title, ["it is", "column", "for example", "because"], rows)
    for note in proposal.notes:
        style = "bold yellow" if note in proposal.doubts else None
        output.print(f"note: {note}", style=style, markup=False, soft_wrap=True)
    if proposal.left_out:
        names = ", ".join(
            one.column if one.why == "not known here" else f"{one.column} ({one.why})"
            for one in proposal.left_out
        )
        output.print(f"left out: {names}", markup=False, soft_wrap=True)
