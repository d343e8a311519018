// All details of one transaction.
import { formatCountry } from "./country.ts";
import { Dialog } from "./Dialog.tsx";
import type { Transaction } from "./document.ts";
import { formatAmount, formatCardNumber, formatDate } from "./format.ts";

type DetailsProps = { readonly transaction: Transaction; readonly onClose: () => void };

export function Details({ transaction, onClose }: DetailsProps) {
  const { id, date, amount, currency, vendor, address, cardType, cardNumber, countryOrigin } = transaction;
  return (
    <Dialog id="details" title={vendor ?? "Transaction"} onClose={onClose}>
      <p class="amount">{formatAmount(amount, currency)}</p>
      <dl>
        <dt>Date</dt>
        <dd>
          <time dateTime={date}>{formatDate(date, { dateStyle: "full", timeStyle: "long" })}</time>
          <span class="quiet">{date}</span>
        </dd>
        <dt>Card</dt>
        <dd>
          {cardType} <span class="number">{formatCardNumber(cardNumber)}</span>
        </dd>
        <dt>Country</dt>
        <dd>
          {formatCountry(countryOrigin)} <span class="quiet">{countryOrigin}</span>
        </dd>
        <dt>Address</dt>
        <dd class="lines">{address ?? "not stored"}</dd>
        <dt>Id</dt>
        <dd>
          <code>{id}</code>
        </dd>
      </dl>
    </Dialog>
  );
}
