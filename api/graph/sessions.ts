import type { Auth } from '../platform/auth/index.ts'
import type { Viewer } from '../platform/auth/viewer.ts'

/** What the front door needs of sign-in. */
export interface SignIn extends Pick<Auth, 'authenticate' | 'isGood' | 'onRevoked'> {
  /** Calls `end` once when this viewer loses access for another reason than its token. Returns what stops watching. */
  watch?(viewer: Viewer, end: () => void): () => void
}

/** How often the tokens of open sockets and streams are looked at, in milliseconds. */
const LOOK_EVERY = 1_000

/** Ends what stays open when its token expires or is revoked: within about a second. */
export class Sessions {
  readonly #signIn: SignIn
  readonly #open = new Map<object, { readonly viewer: Viewer; readonly end: () => void }>()
  readonly #timer: NodeJS.Timeout
  readonly #stop: () => void

  constructor(signIn: SignIn) {
    this.#signIn = signIn
    this.#timer = setInterval(() => this.#look(), LOOK_EVERY).unref()
    this.#stop = signIn.onRevoked(() => this.#look())
  }

  /** Calls `end` once when the viewer's token stops counting. Returns what stops watching. */
  watch(viewer: Viewer | null, end: () => void): () => void {
    if (!viewer) return () => {}
    const key = {}
    this.#open.set(key, { viewer, end })
    const stop = this.#signIn.watch?.(viewer, () => {
      if (this.#open.delete(key)) end()
    })
    return () => {
      this.#open.delete(key)
      stop?.()
    }
  }

  close(): void {
    clearInterval(this.#timer)
    this.#stop()
    this.#open.clear()
  }

  #look(): void {
    for (const [key, { viewer, end }] of this.#open) {
      if (this.#signIn.isGood(viewer)) continue
      this.#open.delete(key)
      end()
    }
  }
}
