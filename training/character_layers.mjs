// Writes the drawing layers that are a character's own (skin with its marks, face, hair, beard, glasses, ornaments), one SVG per line.
// usage: node character_layers.mjs attributes.json characters.json out.jsonl     (DICEBEAR=folder that holds node_modules)
import fs from 'fs';
import { face, skin, slot, svg } from './drawing.mjs';

const [attrFile, characterFile, outFile] = process.argv.slice(2);
const A = JSON.parse(fs.readFileSync(attrFile));
const rows = [];
for (const [name, c] of Object.entries(JSON.parse(fs.readFileSync(characterFile)))) {
  const put = (key, body) => rows.push({ key: `${name}/${key}`, svg: svg(body) });
  put('skin', skin(c.skin) + (c.marks ?? ''));
  for (const [k, v] of Object.entries(A.expression)) put(`face/${k}`, face(v, v.eyebrows + 'Natural'));
  let hair = (c.hair_behind ?? '') + (c.hair ? slot('top', c.hair[0], '#' + c.hair[1]) : '') + (c.hair_drawn ?? '');
  for (const [from, to] of Object.entries(c.recolor ?? {})) hair = hair.replaceAll('#' + from, '#' + to);
  put('hair', hair);
  if (c.facial_hair) put('facial_hair', slot('facialHair', c.facial_hair[0], '#' + c.facial_hair[1]));
  if (c.accessory) put('accessory', slot('accessories', c.accessory[0], '#' + c.accessory[1]));
  if (c.ornaments) put('ornaments', c.ornaments);
}
fs.writeFileSync(outFile, rows.map(r => JSON.stringify(r)).join('\n') + '\n');
console.log(rows.length, 'layers');
