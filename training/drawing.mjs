// What layers.mjs and character_layers.mjs share: the avataaars parts and where each sits in the drawing.
// DICEBEAR=folder that holds node_modules
import path from 'path';
import { pathToFileURL } from 'url';

const root = process.env.DICEBEAR ?? process.cwd();
const lib = path.join(root, 'node_modules/@dicebear/avataaars/lib/components');
const parts = await import(pathToFileURL(path.join(lib, 'index.js')).href);

const head = 'M132 36a56 56 0 0 0-56 56v6.17A12 12 0 0 0 66 110v14a12 12 0 0 0 10.3 11.88 56.04 56.04 0 0 0 31.7 44.73v18.4h-4a72 72 0 0 0-72 72v9h200v-9a72 72 0 0 0-72-72h-4v-18.39a56.04 56.04 0 0 0 31.7-44.73A12 12 0 0 0 198 124v-14a12 12 0 0 0-10-11.83V92a56 56 0 0 0-56-56Z';
const neck = 'M108 180.61v8a55.79 55.79 0 0 0 24 5.39c8.59 0 16.73-1.93 24-5.39v-8a55.79 55.79 0 0 1-24 5.39 55.79 55.79 0 0 1-24-5.39Z';
const at = { clothing: [0, 170], mouth: [78, 134], nose: [104, 122], eyes: [76, 90], eyebrows: [76, 82],
  top: [-1, 0], facialHair: [48, 72], accessories: [61, 42] };

// a whole layer: what is drawn, in the drawing's coordinates
export const svg = body => `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 280 280" fill="none"><g transform="translate(8)">${body}</g></svg>`;
export const skin = hex => `<path d="${head}" fill="#${hex}"/><path d="${neck}" fill="#000" fill-opacity=".1"/>`;
export const face = (v, brows = v.eyebrows) => slot('mouth', v.mouth) + slot('nose', 'default') + slot('eyes', v.eyes) + slot('eyebrows', brows);

export function slot(slotName, option, color) {
  const colors = { clothes: color, hair: color, hat: color, facialHair: color, accessories: color };
  const [x, y] = at[slotName];
  return `<g transform="translate(${x} ${y})">${parts[slotName][option]({}, colors)}</g>`;
}
