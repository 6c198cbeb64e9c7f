"""Money between the way people write it and the smallest unit, in which it is stored."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal, InvalidOperation

from server.domain.errors import InvalidInput

# ISO 4217: the currencies whose smallest unit is not a hundredth.
_WHOLE = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF"
_THOUSANDTHS = "BHD IQD JOD KWD LYD OMR TND"
_DIGITS = dict.fromkeys(_WHOLE.split(), 0) | dict.fromkeys(_THOUSANDTHS.split(), 3)
MAX_MINOR = 10**15


def digits(currency: str) -> int:
    """How many decimal places a currency has."""
    return _DIGITS.get(currency.upper(), 2)


def decimal_text(minor: int, currency: str) -> str:
    """An amount in the smallest unit as a decimal number, with the places of its currency.

    >>> decimal_text(29900, "CNY"), decimal_text(-980, "JPY")
    ('299.00', '-980')
    """
    return str(Decimal(minor).scaleb(-digits(currency)))


def to_minor(amount: str | float, currency: str) -> int:
    """An amount in the smallest unit. Raises InvalidInput for what is no amount of money.

    >>> to_minor("428.00", "CNY"), to_minor(0.1, "EUR"), to_minor(980, "JPY")
    (42800, 10, 980)
    """
    try:
        # By its shortest text: a float is only as exact as it was written.
        value = Decimal(str(amount).strip())
        minor = (value * 10 ** digits(currency)).quantize(Decimal(1), ROUND_HALF_UP)
    except InvalidOperation:
        minor = Decimal("NaN")
    if not minor.is_finite() or abs(minor) > MAX_MINOR:
        raise InvalidInput("This is no amount of money.", field="price")
    return int(minor)
