"""The profiles that come with the program."""

from __future__ import annotations

from datetime import date

from portfolio_sync.errors import SettingsError
from portfolio_sync.tax.profile import Profile

GENERIC = Profile(
    name="generic",
    title="No country: plain lots, every convention to choose",
    citations=("The defaults of the project's golden cases (tests/cases/data/README.md).",),
)

US = Profile(
    name="us",
    title="United States",
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
        "Rev. Rul. 2019-24, 2023-14 (airdrops and staking rewards are income at fair market value)",
        "IRS digital asset FAQ A53 (coins paid to move one's own coins are disposed of)",
        "Form 8949 (2025) and instructions: boxes G-L; before 2025 boxes C and F",
    ),
)

PROFILES = {profile.name: profile for profile in (GENERIC, US)}


def profile_named(name: str) -> Profile:
    """Raises SettingsError for a name that is not known."""
    if name not in PROFILES:
        raise SettingsError(f"unknown profile {name!r}; known: {', '.join(sorted(PROFILES))}")
    return PROFILES[name]
