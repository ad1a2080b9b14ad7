/** What the panel and its tabs share. Types only. */
import type { Start } from '../documents';
import type { Network } from '../network';
import type { Settings } from '../settings';
import type { Shop } from '../shop';
import type { Visit } from '../visit';
import type { Diary } from './diary';

export interface PanelContext {
  readonly shop: Shop;
  readonly visit: Visit;
  readonly network: Network;
  readonly settings: Settings;
  readonly diary: Diary;
  readonly start: Start;
}

export interface Tab {
  readonly name: string;
  readonly element: HTMLElement;
  /** Shows the state of now. Called when the tab is opened, and after changes while it is open. */
  describe(): void;
  /** Lets go of what it holds only to show it. Called when another tab is opened, or the panel closed. */
  leave?(): void;
}
