"""The profiles that come with the program."""

from __future__ import annotations

from datetime import date

from portfolio_sync.errors import SettingsError
from portfolio_sync.tax.profile import (
    LOT_ORDERS,
    Allowance,
    GiftIn,
    GiftOut,
    IncomeCost,
    Method,
    PoolScope,
    Profile,
    SellFee,
    TermRule,
    TradeCost,
    TradeFee,
    TransferFee,
)  # fmt: skip

GENERIC = Profile(
    name="generic",
    title="No country: plain lots, every convention to choose",
    citations=("The defaults of the project's golden cases (tests/cases/data/README.md).",),
)

US = Profile(
    name="us",
    title="United States",
    methods=LOT_ORDERS,
    wallet_pools_from=date(2025, 1, 1),
    dated_methods_from=date(2025, 1, 1),
    withheld_fee_own_lot=True,
    forms=("us",),
    citations=(
        "IRC 1001, 1011, 1012, 1221-1223",
        "26 CFR 1.1001-7 (digital asset transaction costs come off the amount realised)",
        "26 CFR 1.1012-1(h) (costs of an exchange belong to the disposal alone)",
        "26 CFR 1.1012-1(j) (from 2025-01-01 basis is kept per wallet or account; first in, first out without identification)",
        "26 CFR 1.1012-1(j)(3)(iii) (units withheld from what is received are sold out of the units just received)",
        "Rev. Proc. 2024-28 (unused basis on 2025-01-01 is allocated to wallets)",
        "Rev. Rul. 66-7 (the holding period starts the day after acquisition; ends of months)",
        "IRC 1015, 1223 (2) (gifts: the giver's cost and date; for a loss the lower value at the gift, held since then)",
        "Rev. Rul. 2019-24, 2023-14 (airdrops and staking rewards are income at fair market value)",
        "IRS digital asset FAQ A53 (coins paid to move one's own coins are disposed of)",
        "Form 8949 (2025) and instructions: boxes G-L; before 2025 boxes C and F",
    ),
)

UK = Profile(
    name="uk",
    title="United Kingdom",
    currency="GBP",
    timezone="Europe/London",
    year_start_month=4,
    year_start_day=6,
    method=Method.UK_S104,
    methods=(Method.UK_S104,),
    sell_fee=SellFee.COST,
    trade_fee=TradeFee.SPLIT,
    trade_cost=TradeCost.GIVEN,
    gift_out=GiftOut.FMV,
    gift_in=GiftIn.FMV,
    allowances=(
        Allowance("annual_exempt_amount", 12300, "GBP", 2020, 2022, "TCGA 1992 s. 1K"),
        Allowance("annual_exempt_amount", 6000, "GBP", 2023, 2023, "TCGA 1992 s. 1K"),
        Allowance("annual_exempt_amount", 3000, "GBP", 2024, None, "TCGA 1992 s. 1K"),
    ),
    citations=(
        "TCGA 1992 s. 104 (pool), s. 105 (same day), s. 106A (the next 30 days, earliest purchase first)",
        "HMRC Cryptoassets Manual CRYPTO22200-22257 (pooling and matching of tokens, by day, over all wallets)",
        "TCGA 1992 s. 38 (a coin received has cost what was given for it), s. 52 (the coin given brings the value of what was received)",
        "HMRC Cryptoassets Manual CRYPTO22280 (fees in tokens: a disposal, and a cost); both sides of an exchange share its fee",
        "HMRC Cryptoassets Manual CRYPTO21150-21250 (airdrops, mining, staking: income at value)",
        "TCGA 1992 s. 17 (gifts count at market value; a gift to a spouse has neither gain nor loss: s. 58, not applied here)",
        "Local days of London; tax year 6 April to 5 April",
    ),
)

DE = Profile(
    name="de",
    title="Germany (private assets)",
    currency="EUR",
    timezone="Europe/Berlin",
    method=Method.DE_FIFO,
    methods=(Method.DE_FIFO, Method.SPEC_ID),
    pool_scope=PoolScope.WALLET,
    term_rule=TermRule.CALENDAR,
    trade_cost=TradeCost.GIVEN,
    gift_in=GiftIn.DONOR,
    long_term_exempt=True,
    allowances=(
        Allowance(
            "exempt_below_private_sales", 600, "EUR", 2009, 2023, "EStG 23 (3) sentence 5 (a limit, no allowance)"
        ),
        Allowance(
            "exempt_below_private_sales", 1000, "EUR", 2024, None, "EStG 23 (3) sentence 5 (a limit, no allowance)"
        ),
        Allowance(
            "exempt_below_other_income", 256, "EUR", 2009, None, "EStG 22 no. 3 sentence 2 (a limit, no allowance)"
        ),
    ),
    citations=(
        "EStG 23 (1) no. 2 (private sales within one year); BGB 187, 188 (the year ends with its anniversary day)",
        "BMF letter of 2025-03-06 (IV C 1 - S 2256/00042/064/043) Rz. 53 (one year), Rz. 54, 58-59 (exchange: sold at the value of the coin received, which costs that of the coin given)",
        "BMF letter of 2025-03-06 Rz. 61-62 (per wallet: identified units first, else first in, first out), Rz. 63 (not ten years)",
        "EStG 23 (1) sentence 3 (a gift keeps the giver's cost and date)",
        "EStG 22 no. 3 (staking, lending and mining rewards: income at value on receipt)",
        "BFH IX R 3/22 (currency tokens are assets)",
    ),
)

CA = Profile(
    name="ca",
    title="Canada (capital account)",
    currency="CAD",
    timezone="America/Toronto",
    method=Method.ACB,
    methods=(Method.ACB,),
    superficial_loss=True,
    gift_out=GiftOut.FMV,
    gift_in=GiftIn.FMV,
    citations=(
        "ITA 47(1) (identical properties: average cost), 53 (adjusted cost base), 38 (half of a gain is taxable; not applied here)",
        "ITA 54 'superficial loss', 40(2)(g)(i), 53(1)(f) (denied as far as bought within 30 days and still held on the 30th; added to cost)",
        "ITA 69(1) (gifts at market value)",
        "CRA guide for cryptocurrency users: exchange of coins is a barter at value; costs of a sale come off its proceeds",
    ),
)

FR = Profile(
    name="fr",
    title="France (occasional sales of private persons)",
    currency="EUR",
    timezone="Europe/Paris",
    method=Method.FR_PAMC,
    methods=(Method.FR_PAMC,),
    transfer_fee=TransferFee.CONSUME,
    gift_in=GiftIn.FMV,
    income_cost=IncomeCost.ZERO,
    allowances=(
        Allowance(
            "exempt_up_to_sales",
            305,
            "EUR",
            2019,
            None,
            "CGI art. 150 VH bis II B (a limit on the year's prices, no allowance)",
        ),
    ),
    citations=(
        "CGI art. 150 VH bis (gain of a sale against the whole portfolio; coins for coins puts the tax off)",
        "BOFiP BOI-RPPM-PVBMC-30-20, paragraph 110 (price before fees in the fraction; the acquisition price falls by the fraction)",
        "Form 2086",
    ),
)

IE = Profile(
    name="ie",
    title="Ireland",
    currency="EUR",
    timezone="Europe/Dublin",
    method=Method.IE_FIFO,
    methods=(Method.IE_FIFO,),
    gift_out=GiftOut.FMV,
    gift_in=GiftIn.FMV,
    allowances=(Allowance("annual_exempt_amount", 1270, "EUR", 2002, None, "TCA 1997 s. 601"),),
    citations=(
        "TCA 1997 s. 580 (first in, first out)",
        "TCA 1997 s. 581 (1)-(2) (units bought within four weeks before go first)",
        "TCA 1997 s. 581 (3) (a loss followed by a purchase within four weeks counts against the gain on that purchase alone)",
        "TCA 1997 s. 547 (gifts at market value)",
    ),
)

PROFILES = {profile.name: profile for profile in (GENERIC, US, UK, DE, CA, FR, IE)}


def profile_named(name: str) -> Profile:
    """Raises SettingsError for a name that is not known."""
    if name not in PROFILES:
        raise SettingsError(f"unknown profile {name!r}; known: {', '.join(sorted(PROFILES))}")
    return PROFILES[name]
