/** What a team's leader sees, kept up to date while a page shows it. */

import { useApp, type App } from './app.svelte.ts';
import type { Team, TeamDecision } from './core/protocol.ts';

/** The team as the core last told it. */
export class TeamView {
  readonly #app: App;
  team: Team | null = $state.raw(null);

  constructor(app: App) {
    this.#app = app;
  }

  async load(): Promise<void> {
    await this.#app.attempt(async () => (this.team = await this.#app.core.ask('team')));
  }

  /** Decides about households; whether that was taken. */
  async decide(units: string[], decision: TeamDecision): Promise<boolean> {
    const team = await this.#app.attempt(() => this.#app.core.ask('decide', { units, decision }));
    if (team === undefined) return false;
    this.team = team;
    await this.#app.attempt(
      async () => (this.#app.households = await this.#app.core.ask('households')),
    );
    return true;
  }
}

/** The team for the page that calls it: loaded now, and anew whenever the households have changed. */
export function useTeam(): TeamView {
  const app = useApp();
  const view = new TeamView(app);
  $effect(() => {
    void app.households;
    void view.load();
  });
  return view;
}
