import { sealedSettings } from '../domains/channels/index.ts'
import { sealedCouponKeys } from '../domains/coupons/index.ts'
import { sealedWebhookSecrets } from '../domains/webhooks/index.ts'
import { rotateKeys } from '../platform/key-rotation.ts'
import { openVault } from '../platform/vault.ts'
import { command } from './command.ts'
import { note, openProgress, result } from './terminal.ts'
import { atWork } from './workplace.ts'

/** Puts all secrets under ENGAWA_SECRET_KEY that are still under the key before it; exit code 1 when some stay. */
export default command({}, () =>
  atWork(async ({ config, db }) => {
    const progress = openProgress('Secrets')
    const vault = openVault(config)
    const { done, unopened } = await rotateKeys(
      db.system,
      [sealedSettings, sealedWebhookSecrets, sealedCouponKeys],
      {
        vault,
        onProgress: ({ done, total }) => progress.update(done, total, `${done} of ${total}`),
      },
    ).finally(() => progress.stop())
    result(`${done} secrets are under the present key now.`)
    if (unopened === 0) return 0
    note(
      `${unopened} cannot be opened: set ENGAWA_SECRET_KEY_PREVIOUS to the key that sealed them, and run this again.`,
    )
    return 1
  }),
)
