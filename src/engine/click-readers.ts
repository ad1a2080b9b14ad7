/** What a model reads of clicks beside their items, and who clicked. Loaded where a model reads that. */
import { type Artifact, USERS_TENSOR } from '../checkpoint/artifact';
import { userFinder } from '../checkpoint/users';
import { birthsOf } from '../ranking/births';
import { clickReader } from '../session/click-features';

export const clickReaders = ({ info, tensors }: Artifact) => ({
  readFeatures: clickReader(info.features ?? {}, birthsOf({ info, tensors })),
  findUser: userFinder(tensors[USERS_TENSOR]),
});
