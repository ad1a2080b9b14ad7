/** What the table does not say by itself: how presets were chosen, and why a row is where it is. */
export const NOTES = `## How the presets were chosen
`;
