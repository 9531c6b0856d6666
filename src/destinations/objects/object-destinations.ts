import { setTimeout } from 'node:timers/promises';
import { FailureError, failure } from '../../domain/failures.ts';
import type { ObjectDoors } from '../../sources/objects/object-doors.ts';
import type { ObjectDoor } from '../../sources/objects/object-door.ts';
import { checkObjectUri } from '../../sources/objects/object-uri.ts';
import type { ObjectAddress } from '../../sources/objects/object-uri.ts';
import type { DestinationRequest, Destinations } from '../destination.ts';
import { s3Way } from '../s3/s3-way.ts';
import { swiftWay } from '../swift/swift-way.ts';
import { deliverObject, removeObjectLeftovers, withdrawObject } from './deliver-object.ts';
import type { ObjectDelivering } from './deliver-object.ts';
import type { ObjectWay } from './object-way.ts';
import { partBounds } from './part-plan.ts';

const ways: Readonly<Record<ObjectAddress['kind'], ObjectWay>> = { s3: s3Way, swift: swiftWay };

const usual: ObjectDelivering = {
  bounds: partBounds,
  pause: (delayMs, signal) => setTimeout(delayMs, undefined, { signal }).catch(() => signal.throwIfAborted()),
};

/** The destinations s3:// and swift://. The doors, and the connections behind them, are closed by whoever made them. */
export function objectDestinations(doors: ObjectDoors, delivering: ObjectDelivering = usual): Omit<Destinations, 'close'> {
  const enter = ({ uri, credential, owner }: DestinationRequest): { address: ObjectAddress; door: ObjectDoor; way: ObjectWay } => {
    const checked = checkObjectUri(uri);
    if (!checked.ok) throw new FailureError(failure('DESTINATION_NOT_ALLOWED', checked.message));
    const { address } = checked;
    const found = doors.find(address.kind, credential, owner);
    if (!found.ok) throw new FailureError(failure('DESTINATION_FORBIDDEN', `The credential of the task cannot be used: ${found.message}.`));
    return { address, door: found.door, way: ways[address.kind] };
  };
  return {
    async deliver(request, artefact, delivery) {
      delivery.signal.throwIfAborted();
      const { address, door, way } = enter(request);
      return deliverObject(way, door, address, artefact, delivery, delivering);
    },
    async withdraw(request, delivered, signal) {
      const { address, door, way } = enter(request);
      return withdrawObject(way, door, address, delivered, signal);
    },
    async removeLeftovers(request, ended, signal) {
      const { address, door, way } = enter(request);
      return removeObjectLeftovers(way, door, address, ended, delivering, signal);
    },
  };
}
