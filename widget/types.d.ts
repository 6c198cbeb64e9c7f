// Shapes that the widget's modules share. Read by the type checker only, never served.

export {};

declare global {
  interface Window {
    Shopbell?: any;
  }

  type Locale = "zh" | "en";
  type Words = Record<string, string>;
  type Say = (key: string, values?: Record<string, string | number>) => string;

  type Extras = ReturnType<typeof import("./extras.js").createExtras>;

  /** What of the panel the extras work on. */
  interface Ui {
    home: { cards: HTMLElement };
    composer: { input: HTMLTextAreaElement; nodes: HTMLElement[]; measure(): void; clear(): void };
  }

  type ArticleWords = { text: string; bold?: boolean; href?: string }[];

  interface ArticleBlock {
    type: "paragraph" | "heading" | "list";
    words?: ArticleWords;
    ordered?: boolean;
    items?: ArticleWords[];
  }

  interface FoundAnswer {
    article_id: string;
    title: string;
    locale: string;
    summary: string;
    blocks: ArticleBlock[];
    address: string;
  }

  /** What the desk found for a text. */
  interface Found {
    text: string;
    suggestion_id: string | null;
    band: string;
    items: FoundAnswer[];
  }

  interface Shell {
    options: {
      site: string;
      prefix: string;
      locale?: string;
      theme?: string;
      color: string;
      page?: { product?: Block; cart?: { token?: string; lines?: object[] }; order?: object };
      unread: number;
      expanded: boolean;
    };
    base: URL;
    root: ShadowRoot;
    frame: HTMLElement;
    button: HTMLButtonElement;
    language(): Locale;
    style(text: string, file: string): CSSStyleSheet | undefined;
    look(name: string, value: string): void;
    luminance(hex: string): number;
    paint(hex?: string | null): void;
    refresh(): void;
    emit(name: string, detail?: unknown): void;
    /** Whether the looks of requests are there. */
    dressed?: boolean;
    visits?: ReturnType<typeof import("./visits.js").createVisits>;
  }

  /** Purposes, true for agreed and false for refused. */
  type Choices = Record<string, boolean>;

  interface Vault {
    get(name: string): string | null;
    set(name: string, value: string): void;
    drop(name: string): void;
    names(): string[];
    clear(): void;
  }

  interface Actor {
    kind: "customer" | "agent" | "bot" | "system";
    id: string;
    name: string | null;
  }

  interface Block {
    type?: string;
    /** Of a file. */
    id?: string;
    name?: string;
    media_type?: string;
    bytes?: number;
    width?: number;
    height?: number;
    state?: string;
    title?: string;
    url?: string;
    alt?: string;
    sku?: string;
    price?: string | number;
    price_minor?: number;
    currency?: string;
    image_url?: string;
  }

  interface Message {
    id: string;
    client_id: string;
    body: string;
    blocks?: Block[] | null;
    author: Actor;
    at_ms: number;
  }

  interface Envelope {
    seq: number;
    kind: string;
    at_ms: number;
    actor: Actor;
    conversation_id: string;
    conversation_seq: number;
    data: any;
  }

  interface Signal {
    kind: string;
    data: any;
  }

  interface Head {
    id: string;
    status: string;
    conversation_seq: number;
    unread?: number;
  }

  interface Welcome {
    visitor_token: string;
    customer_id: string;
    customer?: { name?: string | null; email?: string | null; verified?: boolean };
    conversations: Head[];
    /** How many requests the shopper has, and new answers in them. */
    requests?: { count: number; unread: number };
    shop: {
      name: string;
      agents_online: number;
      queue_length: number;
      typical_first_response_ms: number | null;
      retention_months: number | null;
      privacy_url: string | null;
      accent: string | null;
      /** Whether the shop notes what shoppers look at, when they agree. */
      page_events?: boolean;
      /** When somebody is here again, while the shop is closed. */
      opens_at_ms?: number | null;
      /** Whether there are articles that shoppers may read. */
      articles?: boolean;
    };
    /** What the shopper last said about each purpose. */
    consents?: Record<string, "given" | "refused">;
    server_at_ms: number;
  }

  interface Failure {
    code: string;
    message: string;
    details?: { retry_after_s?: number; reason?: string; field?: string; numbers?: string[] };
  }

  interface Answer {
    ok: boolean;
    error?: Failure;
    [key: string]: any;
  }

  /** A message of the shopper that the server has not confirmed, or whose event has not come yet. */
  interface Entry {
    client_id: string;
    body: string;
    blocks?: Block[];
    page?: object;
    conversation_id: string | null;
    at_ms: number;
    error?: Failure | null;
    sent?: { message_id: string; conversation_seq: number };
  }

  /** Something of a request that the desk has not confirmed. */
  interface Ask {
    client_id: string;
    name: string;
    payload: object;
    at_ms: number;
    error?: Failure;
    /** Its files, as they are shown until the desk has them. */
    shown?: Block[];
  }

  /** A request as its shopper sees it. */
  interface RequestShown {
    number: string;
    subject: string;
    state: string;
    over: boolean;
    promised_at_ms: number | null;
    late: boolean;
    created_at_ms: number;
    unread: number;
  }

  /** A line of an order; so many pieces are left that nobody has asked back yet. */
  interface OwnLine {
    line_no: number;
    title: string;
    sku: string | null;
    quantity: number;
    left: number;
    price_minor: number;
    image_url: string | null;
    numbers: string[];
  }

  type NamedChoice = { id: string; name: Record<Locale, string> };

  interface OwnOrder {
    number: string;
    created_at_ms: number;
    currency: string;
    state: string;
    wanted: string[];
    reasons: NamedChoice[];
    lines: OwnLine[];
  }

  /** What a place that takes files gives to those who send them up. */
  interface UploadParts {
    tray: HTMLElement;
    /** Something of the files is other now. */
    changed(): void;
    /** Where the keyboard goes when a file was taken away. */
    focus(): void;
  }

  interface Uploads {
    readonly full: boolean;
    readonly size: number;
    /** Something is on its way, or waits for a connection. */
    readonly busy: boolean;
    /** Something was refused for good. */
    readonly refused: boolean;
    blocks(): Block[];
    add(files: File[]): void;
    restore(blocks: Block[]): void;
    again(): void;
    clear(): void;
  }

  interface AskOutbox {
    waiting(): Ask[];
    drop(id: string): void;
    add(name: string, payload: object, shown?: Block[]): Ask;
  }

  /** What a form begins with. */
  interface AskPrefill {
    text?: string;
    conversation_id?: string;
    /** What was refused, to be changed and sent again. */
    ask?: Ask;
    /** What is to be asked back. */
    wanted?: string;
  }

  type Chat = ReturnType<typeof import("./chat.js").createChat>;

  interface RequestParts {
    words: Words;
    locale: Locale;
    chat: Chat;
    shell: Shell;
    vault: Vault;
    panel: HTMLElement;
    outbox: AskOutbox;
    linked: (text: string) => (string | HTMLElement)[];
    /** What stands below the words of a message. */
    cards: (blocks: Block[]) => HTMLElement[];
    uploads: (parts: UploadParts) => Uploads;
    rating: (score: number | null, rate: (score: number, comment: string) => Promise<Answer>) => HTMLElement;
  }

  /** What the pages of requests share. */
  interface RequestTools extends Omit<RequestParts, "words" | "panel"> {
    say: Say;
    announce(text: string): void;
    /** So many new answers were shown. */
    read(unread: number): void;
    close(): void;
    list(): void;
    open(number: string): void;
    compose(prefill: AskPrefill): void;
    /** The orders of which something can be asked back. */
    orders(prefill?: AskPrefill): void;
    askBack(order: OwnOrder, outcomes: NamedChoice[], prefill?: AskPrefill): void;
  }

  interface RequestPage {
    node: HTMLElement;
    first?: HTMLElement;
    /** Something that waited was answered by the desk. */
    settled?(ask: Ask, answer: Answer): void;
    /** Something of the requests is other now. */
    refresh?(): void;
  }

  interface RequestsView {
    opener?: () => HTMLElement;
    form(prefill: AskPrefill, parent?: (() => void) | null): void;
    list(): void;
    /** What is shown is nobody's here any more. */
    close(): void;
    settled(ask: Ask, answer: Answer): void;
    refresh(): void;
  }

  type Line =
    | { type: "message"; key: string; seq: number; at_ms: number; message: Message }
    | { type: "joined" | "status" | "rating"; key: string; seq: number; at_ms: number; name?: string; status?: string };

  interface Conversation {
    id: string;
    status: string;
    /** The last event that was applied; 0 before the thread was asked for. */
    seq: number;
    /** The last event that the server is known to have. */
    head: number;
    /** Events up to here were there before this page; they are no news. */
    historySeq: number;
    /** Whether the thread is wanted here, so that it is kept complete. */
    wanted: boolean;
    unread: number;
    lines: Line[];
    agent: { id: string; name: string } | null;
    ahead: number | null;
    /** Own messages up to this event were read by the shop. */
    readSeq: number;
    /** The message that was read last, which need not be here. */
    readId?: string;
    markedId: string | null;
    score: number | null;
    typing: { name: string | null; until_ms: number } | null;
    openedAt_ms: number;
  }

  /** How the connection stands: what is shown in words to the shopper. */
  interface LinkState {
    name: "idle" | "connecting" | "online" | "reconnecting" | "offline" | "draining" | "refused";
    error?: Failure;
  }
}
