import { run, pool, postgres } from './zz-store.mts';
for (let i=0;i<3;i++) await run('store');
await pool.end(); await postgres.stop(); process.exit(0);
