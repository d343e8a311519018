"""The countries of transactions: currency, price level, time and Faker locale. Data only."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Country:
    """The country of a purchase.

    Attributes:
        code: ISO 3166-1 alpha-2.
        currency: ISO 4217.
        price: roughly what one euro's worth of goods costs there, in its currency.
        utc_offset: its approximate offset from UTC, in hours.
        share: its weight among all transactions, relative to the sum of all shares.
        locale: the Faker locale of its companies and addresses.
        address: the Faker pattern of an address, for locales whose default has no line breaks.
    """

    code: str
    currency: str
    price: int
    utc_offset: int
    share: int
    locale: str
    address: str = "{{address}}"

    @property
    def whole(self) -> bool:
        """Whether its prices are whole numbers, because a euro is worth at least 100 of its currency."""
        return self.price >= 100  # noqa: PLR2004 - the docstring explains it


# Only locales with addresses in Faker: for others it silently falls back to the United States.
COUNTRIES = (
    Country("US", "USD", 1, -6, 300, "en_US"),
    Country("GB", "GBP", 1, 0, 90, "en_GB"),
    Country("DE", "EUR", 1, 1, 70, "de_DE"),
    Country("FR", "EUR", 1, 1, 60, "fr_FR"),
    Country("CA", "CAD", 2, -5, 45, "en_CA"),
    Country("JP", "JPY", 160, 9, 45, "ja_JP", "{{address}}\n{{postcode}}"),
    Country("BR", "BRL", 4, -3, 40, "pt_BR"),
    Country("CN", "CNY", 5, 8, 40, "zh_CN", "{{province}}{{city}}{{district}}{{street_address}}\n{{postcode}}"),
    Country("IT", "EUR", 1, 1, 35, "it_IT"),
    Country("ES", "EUR", 1, 1, 35, "es_ES"),
    Country("AU", "AUD", 2, 10, 35, "en_AU"),
    Country("IN", "INR", 40, 5, 35, "en_IN", "{{street_address}}\n{{city}} {{postcode}}"),
    Country("NL", "EUR", 1, 1, 25, "nl_NL"),
    Country("MX", "MXN", 15, -6, 25, "es_MX"),
    Country("KR", "KRW", 1500, 9, 25, "ko_KR", "{{address}}\n{{postcode}}"),
    Country("PL", "PLN", 4, 1, 20, "pl_PL"),
    Country("ID", "IDR", 8000, 7, 20, "id_ID"),
    Country("SE", "SEK", 11, 1, 15, "sv_SE"),
    Country("CH", "CHF", 1, 1, 15, "de_CH"),
    Country("BE", "EUR", 1, 1, 15, "nl_BE"),
    Country("AT", "EUR", 1, 1, 12, "de_AT"),
    Country("NO", "NOK", 12, 1, 10, "no_NO", "{{street_address}}\n{{postcode}} {{city}}"),
    Country("DK", "DKK", 8, 1, 10, "da_DK"),
    Country("FI", "EUR", 1, 2, 10, "fi_FI"),
    Country("IE", "EUR", 1, 0, 10, "en_IE", "{{street_address}}\n{{city}}\n{{postcode}}"),
    Country("PT", "EUR", 1, 0, 10, "pt_PT"),
    Country("CZ", "CZK", 22, 1, 10, "cs_CZ"),
    Country("AR", "ARS", 1200, -3, 10, "es_AR"),
    Country("NZ", "NZD", 2, 12, 8, "en_NZ"),
    Country("IL", "ILS", 4, 2, 8, "he_IL", "{{street_address}}\n{{city}} {{postcode}}"),
    Country("GR", "EUR", 1, 2, 8, "el_GR"),
    Country("HU", "HUF", 390, 1, 8, "hu_HU"),
    Country("RO", "RON", 4, 2, 8, "ro_RO"),
    Country("CO", "COP", 4000, -5, 8, "es_CO"),
    Country("UA", "UAH", 30, 2, 6, "uk_UA", "{{street_address}}\n{{city}} {{postcode}}"),
    Country("SK", "EUR", 1, 1, 5, "sk_SK"),
    Country("SI", "EUR", 1, 1, 3, "sl_SI"),
    Country("HR", "EUR", 1, 1, 3, "hr_HR"),
)
