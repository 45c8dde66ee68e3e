// The demo publishes a program: the app registers what one is made of.
import '../app.ts'
import { demoTenant, loadDemo } from '../demo/index.ts'
import { command } from './command.ts'
import { withPorts } from './delivery.ts'
import { note, openProgress, result } from './terminal.ts'
import { atWork } from './workplace.ts'

/** Loads the demo tenant, or says that it is there. */
export default command({}, () =>
  atWork((workplace) =>
    withPorts(workplace, async (ports) => {
      const progress = openProgress('Loading the demo')
      const loaded = await loadDemo({ ...ports, db: workplace.db }, (share) =>
        progress.update(share, 1),
      ).finally(progress.stop)
      if (!loaded.isNew) note(`The tenant ${demoTenant.key} was here already.`)
      result(`The tenant ${demoTenant.key} has ${loaded.members} members and ${loaded.purchases} purchases.`)
    }),
  ),
)
