// Shapes that come over the wire, as docs/api.md describes them.
export type Status = "open" | "snoozed" | "resolved" | "closed" | "spam";
export type Visibility = "public" | "private";
export type Presence = "online" | "busy" | "away" | "offline";
export interface Named { id: string; name: string }
export interface Actor { kind: "customer" | "agent" | "bot" | "system"; id: string; name: string | null }

export interface Block {
  type: string; title?: string; url?: string; alt?: string; sku?: string;
  price_minor?: number; currency?: string; price?: string; image_url?: string;
}
export interface Message {
  id: string; client_id: string; body: string; blocks: Block[] | null; visibility: Visibility;
  origin: string; author: Actor; at_ms: number;
}
export interface Summary {
  id: string; status: Status; channel: string; locale: string | null; team_id: string | null;
  assignee_id: string | null;
  customer: { id: string; name: string | null; verified: boolean; locale: string | null };
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
export interface Card {
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
  state: "sending" | "waiting" | "sent" | "failed"; error: string | null; message_id: string | null;
}
export interface Words { [key: string]: string | number | null | undefined }
