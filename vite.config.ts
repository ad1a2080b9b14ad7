import { defineConfig } from 'vitest/config';

/** TensorFlow.js ships ES modules with extensionless imports: Vite must process them, Node cannot load them. */
const TENSORFLOW = /@tensorflow\/tfjs/;

export default defineConfig({
  base: './',
  test: {
    projects: [
      {
        extends: true,
        test: {
          name: 'node',
          include: ['test/**/*.test.ts'],
          exclude: ['test/browser/**'],
          environment: 'node',
          server: { deps: { inline: [TENSORFLOW] } },
        },
      },
    ],
  },
});
