// What the console uses of the vendored libraries, no more.
export type VNode = { readonly type: unknown };
export type Child = VNode | string | number | boolean | null | undefined | Child[];
export interface Ref<T> { current: T }
export interface Signal<T> { value: T; peek(): T; subscribe(fn: (value: T) => void): () => void }
export interface Computed<T> { readonly value: T; peek(): T }

export function html(strings: TemplateStringsArray, ...values: unknown[]): VNode;
export function render(node: VNode, parent: Element): void;
export function useEffect(fn: () => void | (() => void), inputs?: unknown[]): void;
export function useLayoutEffect(fn: () => void | (() => void), inputs?: unknown[]): void;
export function useRef<T>(start: T): Ref<T>;
export function useState<T>(start: T | (() => T)): [T, (next: T | ((last: T) => T)) => void];
export function signal<T>(start: T): Signal<T>;
export function computed<T>(fn: () => T): Computed<T>;
export function effect(fn: () => void | (() => void)): () => void;
export function batch<T>(fn: () => T): T;
export function untracked<T>(fn: () => T): T;

export interface Socket {
  connected: boolean;
  active: boolean;
  on(event: string, fn: (data: any) => void): Socket;
  timeout(ms: number): {
    emit(event: string, payload: object, ack: (error: Error | null, reply: any) => void): void;
  };
  connect(): Socket;
  disconnect(): Socket;
}
export function io(address: string, options: object): Socket;
