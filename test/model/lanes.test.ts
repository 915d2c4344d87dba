import { describe, expect, test } from 'vitest';
import { isPromising, isSliceOver, lanesFor, mostLanes, mostLanesAlone, sliceFor } from '../../model/lanes.ts';

describe('how many pages are in flight', () => {
  const paced = { dayRemaining: null, minuteLimit: 60 };

  test.each([
    [200, 1],
    [900, 1],
    [1_000, 2],
    [1_500, 2],
    [2_000, 3],
    [4_000, 4],
    [60_000, mostLanes],
  ])('at %i ms an answer, %i reach sixty calls a minute', (latencyMs, lanes) => {
    for (const pages of [0, 10_000]) expect(lanesFor(latencyMs, paced, pages)).toBe(lanes);
  });

  test('one where a clock was set back while a call was under way', () => {
    for (const latencyMs of [-1, -150, -3_000]) expect(lanesFor(latencyMs, paced, 10_000)).toBe(1);
  });

  test('a fifth where four are too few and nobody else imports from the organisation', () => {
    expect(lanesFor(3_500, paced, 0, mostLanesAlone)).toBe(4);
    expect(lanesFor(4_000, paced, 0, mostLanesAlone)).toBe(5);
    expect(lanesFor(60_000, paced, 0, mostLanesAlone)).toBe(5);
  });

  test('one where the day’s calls are scarce', () => {
    expect(lanesFor(4_000, { ...paced, dayRemaining: 59 }, 0)).toBe(1);
    expect(lanesFor(4_000, { ...paced, dayRemaining: 60 }, 0)).toBe(4);
    expect(lanesFor(4_000, { minuteLimit: null, dayRemaining: 59 }, 10_000)).toBe(1);
  });

  test('more where a larger limit, or none, leaves room, each for a hundred pages that have come', () => {
    const free = { dayRemaining: null, minuteLimit: null };
    expect([0, 99, 100, 200, 300, 10_000].map((pages) => lanesFor(50, free, pages))).toEqual([1, 1, 2, 3, 4, 4]);
    expect(lanesFor(0, free, 99)).toBe(1);
    // Six hundred a minute are ten a second.
    const larger = { ...free, minuteLimit: 600 };
    expect([50, 100, 200, 1_000].map((latencyMs) => lanesFor(latencyMs, larger, 10_000))).toEqual([1, 2, 3, 4]);
    expect(lanesFor(2_000, larger, 0)).toBe(3);
  });

  test('no more than storing keeps up with, but as many as Xero’s sixty ask for', () => {
    const free = { dayRemaining: null, minuteLimit: null };
    expect([1, 2, 9].map((stored) => lanesFor(50, free, 10_000, mostLanes, stored))).toEqual([1, 2, 4]);
    expect(lanesFor(2_000, free, 10_000, mostLanes, 1)).toBe(3);
  });
});

test('a further call is worth it behind a full page of news, or where something is stored already', () => {
  expect(isPromising(500, 0, true)).toBe(true);
  expect(isPromising(500, 0, false)).toBe(false);
  expect(isPromising(500, 501, false)).toBe(true);
  expect(isPromising(500, 500, false)).toBe(false);
});

test('a slice is as long as was said, some rounds where answers are slow, and one page where nothing was', () => {
  expect(sliceFor(3_000, 200)).toBe(3_000);
  expect(sliceFor(3_000, 2_000)).toBe(8_000);
  expect(sliceFor(3_000, 3_000)).toBe(24_000);
  expect(sliceFor(3_000, 60_000)).toBe(30_000);
  expect(sliceFor(0, 4_000)).toBe(0);
});

test('a slice with few pages goes on for a while, and one without any for as long as it takes', () => {
  expect(isSliceOver(3_000, 8, 3_000, 200)).toBe(true);
  expect(isSliceOver(3_000, 7, 3_000, 200)).toBe(false);
  expect(isSliceOver(3_000, 1, 3_000, 200)).toBe(false);
  expect(isSliceOver(30_000, 1, 3_000, 200)).toBe(true);
  expect(isSliceOver(60_000, 0, 3_000, 200)).toBe(false);
  expect(isSliceOver(0, 1, 0, 4_000)).toBe(true);
});
