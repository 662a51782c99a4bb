// What nsfwjs (MobileNet v2, MIT) says of harmless pictures: how many score high as Porn or Hentai, and how long each takes.
//
//   npm install nsfwjs@4.3.0 @tensorflow/tfjs@4.22.0 jpeg-js@0.4.4 buffer@6.0.3   (in a folder of its own)
//   node compliance_nsfwjs.mjs FOLDER…                                            (a copy of this file in that folder; JPEG files)
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import jpeg from 'jpeg-js';
import { load } from 'nsfwjs/core';
import { MobileNetV2Model } from 'nsfwjs/models/mobilenet_v2';

await tf.ready();
const model = await load('MobileNetV2', { modelDefinitions: [MobileNetV2Model] });
for (const folder of process.argv.slice(2)) {
  const over = { 0.5: 0, 0.8: 0 };
  const times = [], worst = [];
  for (const name of readdirSync(folder).filter((name) => name.endsWith('.jpg')).sort()) {
    const { data, width, height } = jpeg.decode(readFileSync(join(folder, name)), { useTArray: true, formatAsRGBA: false });
    const picture = tf.tensor3d(data, [height, width, 3], 'int32');
    const begun = performance.now();
    const said = Object.fromEntries((await model.classify(picture)).map(({ className, probability }) => [className, probability]));
    times.push(performance.now() - begun);
    picture.dispose();
    const unfit = said.Porn + said.Hentai;
    worst.push([unfit, name]);
    for (const least of [0.5, 0.8]) over[least] += unfit >= least;
  }
  times.sort((a, b) => a - b);
  worst.sort((a, b) => b[0] - a[0]);
  console.log(`${folder}: ${times.length} pictures, ${over[0.8]} at least 0.8, ${over[0.5]} at least 0.5; ${times[times.length >> 1].toFixed(0)} ms at the median`);
  console.log(worst.slice(0, 5).map(([unfit, name]) => `    ${name}: ${unfit.toFixed(3)}`).join('\n'));
}
