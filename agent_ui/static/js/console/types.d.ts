// Shapes that come over the wire, as docs/api.md describes them.
export type Status = "open" | "snoozed" | "resolved" | "closed" | "spam";
export type Visibility = "public" | "private";
export type Presence = "online" | "busy" | "away" | "offline";
export interface Named { id: string; name: string }
export interface Actor { kind: "customer" | "agent" | "bot" | "system"; id: string; name: string | null }

export interface Block {
  type: string; title?: string; url?: string; alt?: string; sku?: string;
  price_minor?: number; currency?: string; price?: string; image_url?: string;
  // of a file
  id?: string; name?: string; media_type?: string; bytes?: number; width?: number; height?: number; state?: string;
  // of a mail
  remote?: number; lines?: number;
}
export interface Message {
  id: string; client_id: string; body: string; blocks: Block[] | null; visibility: Visibility;
  origin: string; author: Actor; at_ms: number;
}
export interface Summary {
  id: string; status: Status; channel: string; locale: string | null; team_id: string | null;
  assignee_id: string | null;
  customer: {
    id: string; name: string | null; verified: boolean; locale: string | null;
    segment?: string | null; top20?: boolean;
  };
  customer_present: boolean; waiting_since_ms: number | null; unanswered: number;
  queued_at_ms: number | null; opened_at_ms: number; resolved_at_ms: number | null;
  snoozed_until_ms: number | null; session_no: number;
  last_message: {
    id: string; preview: string; author_kind: string; author_name: string | null;
    visibility: Visibility; at_ms: number;
  } | null;
  last_activity_at_ms: number; tags: string[]; entry_page: { url: string; title: string } | null;
  rating: number | null; conversation_seq: number; reopened: boolean;
}
export interface Envelope {
  seq: number; kind: string; at_ms: number; actor: Actor; conversation_id: string;
  conversation_seq: number;
  data: any; // differs by kind; events.js and thread.js read it field by field
  state?: Summary;
}
export interface Agent {
  id: string; name: string; email: string; role: string; status: Presence; capacity: number;
  load: number; team_ids: string[]; locale?: string;
}
export interface Said { en: string; zh: string }
export interface ContactLine {
  kind: "email" | "phone"; key_id: string | null; customer_id: string; shown: string;
  masked: boolean; level: "verified" | "claimed" | "guessed"; source: string;
}
export interface Profile {
  orders: number; net_minor: number; currency: string; first_order_at_ms: number | null;
  last_order_at_ms: number | null; recency_days: number | null; usual_gap_days: number | null;
  usual_gap_is_own: boolean; average_minor: number | null; r: number | null; f: number | null;
  m: number | null; segment: string; value_cell: string | null; activity_stage: string;
  relationship_stage: string; quiet: boolean; declining: boolean; trend: string; top20: boolean;
  top20_share: number | null; provisional: boolean;
  thresholds: {
    version: number; at_ms: number; r_days: number[]; f_classes: number[]; m_minor: number[];
  } | null;
  returns: { chance: number; similar: number; days: number } | null;
  value_band: "low" | "mid" | "high" | null; coupon_orders: number; refund_share: number;
  staged_at_ms: number | null;
}
export interface ShopOrder {
  id: string; number: string; source: string; created_at_ms: number; total_minor: number;
  net_minor: number; refunded_minor: number; currency: string; status: string;
  state: "placed" | "paid" | "shipped" | "delivered" | "cancelled" | "refunded"; late: boolean;
  promised_at_ms: number | null; shipped_at_ms: number | null; delivered_at_ms: number | null;
  carrier: string | null; tracking_number: string | null; tracking_url: string | null;
  guest: boolean;
  lines: { title: string; sku: string | null; quantity: number; price_minor: number }[];
}
export interface Cart {
  currency: string; total_minor: number; updated_at_ms: number; abandoned: boolean;
  lines: { title?: string; quantity?: number; price_minor?: number }[]; checkout_url: string | null;
}
export interface Offered {
  sku: string; title: string; price_minor: number | null; currency: string | null;
  url: string | null; image_url: string | null;
}
export interface PriceQuestion {
  kind: "price" | "discount" | "bulk"; quantity: number | null; answered: boolean;
  items: (Offered & { stock: number | null; as_of_ms: number; likeness: number })[];
}
export interface CardNote { body: string; version: number; at_ms: number; by: string | null }
export interface TicketOnCard {
  id: string; number: string; type: Said; state: string; status: Said | null; priority: string;
  due_at_ms: number | null;
}
export interface Card {
  person_id: string; customer_ids: string[]; contacts: ContactLine[];
  merged: {
    customer_id: string; name: string | null; at_ms: number; how: string; link_id: string;
    can_undo: boolean;
  }[];
  possible: { customer_id: string; name: string; why: string; shown: string }[];
  service: {
    contacts_90d: number; minutes_90d: number; csat_last: number | null; csat_mean: number | null;
    csat_n: number; complaints: number;
  };
  tags: string[]; note: CardNote | null; preferred_channel: string | null;
  quiet_hours: { from: string; to: string; timezone: string | null } | null;
  blocked: { reason: string | null; at_ms: number } | null; profiling_refused: boolean;
  profile: Profile | null; line: Said | null;
  playbook: { queue: Said; tone: Said; offer: Said; follow_up: Said } | null;
  rift: { reason: string } | null;
  preferences: {
    categories: string[]; brands: string[]; price_band_minor: number[] | null;
    weekday: number | null; hour: number | null;
  } | null;
  orders: { count: number; items: ShopOrder[] }; cart: Cart | null;
  tickets: { open: TicketOnCard[]; open_count: number; closed_count: number; complete: boolean } | null;
  now: {
    url: string | null; title: string | null; product: { title?: string } | null;
    term: string | null; at_ms: number;
  } | null;
  consents: Record<string, { state: "given" | "refused" | "unsaid"; at_ms: number | null }>;
  fresh: { source: string; last_at_ms: number | null; stale: boolean; reason: string | null }[];
  hints: (Offered & { why: Said })[]; price_question: PriceQuestion | null;
  id: string; name: string | null; email: string | null; phone: string | null; locale: string | null;
  verified: boolean; identity: "anonymous" | "claimed" | "verified"; external_id: string | null;
  created_at_ms: number; last_seen_at_ms: number | null; conversation_count: number;
  conversations: {
    id: string; status: Status; opened_at_ms: number; last_activity_at_ms: number;
    preview: string | null; assignee_name: string | null; rating: number | null; messages: number;
  }[];
}
export interface ReadMark { reader: Actor; message_id: string; at_ms: number }
export interface Turn {
  turn_no: number; session_no: number; is_first_in_session: boolean; ask_at_ms: number;
  ask_message_id: string; reply_message_id: string | null; outcome: string;
  elapsed_ms: number | null; answered_by: string | null;
}
export interface Shop {
  name: string; locale: string; timezone: string; currency: string;
  targets: { warn_ms: number; limit_ms: number };
}
export interface Draft { body: string; visibility: Visibility }
export interface Thread {
  id: string; state: "loading" | "ready" | "failed"; error: string | null;
  events: Envelope[]; complete: boolean; last_seq: number; stale: boolean;
  card: Card | null; read_marks: ReadMark[]; turns: Turn[]; viewing: Named[]; draft: Draft | null;
}
export interface OutboxEntry {
  client_id: string; conversation_id: string; body: string; visibility: Visibility; at_ms: number;
  blocks?: Block[]; origin?: string; state: "sending" | "waiting" | "sent" | "failed"; error: string | null; message_id: string | null;
}
export interface Words { [key: string]: string | number | null | undefined }
