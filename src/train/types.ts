/**
 * What an evaluation predicts.
 *
 * - `events`: every event after the first of every session, from all earlier events of that session.
 * - `last-item`: the last event of every session.
 * - `leave-one-out`: the same per user, by default without the items of the input among the candidates.
 * - `incremental`: train and test window by window; not part of `evaluate`, which sees one artifact.
 */
export type Protocol = 'events' | 'last-item' | 'leave-one-out' | 'incremental';
