/** What the panel says, in the language of the shop. */
import { type Language, language } from '../texts';
import { PANEL_EN, type PanelTexts } from '../texts/panel-en';

const TABLES: Readonly<Record<Language, () => Promise<PanelTexts>>> = {
  en: async () => PANEL_EN,
  ko: async () => (await import('../texts/panel-ko')).PANEL_KO,
};

/** The texts of now. */
export let text: PanelTexts = PANEL_EN;

/** Takes the language of the shop. @throws Error if its texts cannot be loaded; then all stays as it was. */
export async function followLanguage(): Promise<void> {
  text = await TABLES[language]();
}
