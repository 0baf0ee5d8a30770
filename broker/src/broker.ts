import type { Broker, BrokerOptions } from './types.ts';

export declare function connect(options: BrokerOptions): Promise<Broker>;
