/** Whether there is room for the shop beside the panel. */
export const isBeside = (): boolean => matchMedia('(min-width: 64rem)').matches;
