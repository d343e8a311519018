// Runs a peer, named by its module, in WORKERS processes that share PORT (https://nodejs.org/api/cluster.html).
import cluster from 'node:cluster'

if (cluster.isPrimary) {
  for (let worker = 0; worker < Number(process.env.WORKERS); worker++) cluster.fork()
  cluster.on('exit', (worker, code) => {
    console.error(`worker ${worker.process.pid} ended with ${code}`)
    process.exit(1)
  })
} else {
  await import(`./${process.argv[2]}.mjs`)
}
