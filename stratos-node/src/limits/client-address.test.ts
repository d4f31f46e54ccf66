import type { IncomingMessage } from 'node:http';
import { ConfigError } from '@stratos/protocol/environment';
import { expect, it } from 'vitest';
import { addressGroup, createClientAddress } from './client-address.ts';

function request(remoteAddress: string | undefined, forwarded?: string): IncomingMessage {
  const headers = forwarded === undefined ? {} : { 'x-forwarded-for': forwarded };
  return { socket: { remoteAddress }, connection: { remoteAddress }, headers } as IncomingMessage;
}

it('believes only proxies of the operator, and what they in turn were told by such', () => {
  const address = createClientAddress(['10.0.0.0/8', 'fd00::/8', 'loopback']);
  expect(address(request('203.0.113.7', '198.51.100.1'))).toBe('203.0.113.7');
  expect(address(request('10.1.2.3', '198.51.100.1'))).toBe('198.51.100.1');
  expect(address(request('::ffff:10.1.2.3', '198.51.100.1'))).toBe('198.51.100.1');
  expect(address(request('fd00::1', '2001:db8::5'))).toBe('2001:db8::5');
  expect(address(request('127.0.0.1', '192.0.2.9, 198.51.100.1, 10.9.9.9'))).toBe('198.51.100.1');
  expect(address(request('127.0.0.1'))).toBe('127.0.0.1');
});

it('believes nobody unless told', () => {
  const address = createClientAddress([]);
  expect(address(request('127.0.0.1', '198.51.100.1'))).toBe('127.0.0.1');
  expect(address(request('::ffff:203.0.113.7'))).toBe('203.0.113.7');
  expect(address(request(undefined, '198.51.100.1'))).toBe('unknown');
});

it('takes the proxy itself where it says what is no address', () => {
  const address = createClientAddress(['loopback']);
  for (const claim of ['', 'unknown', '<script>', '1.2.3.4:80', 'x'.repeat(5000)]) {
    expect(address(request('127.0.0.1', claim))).toBe('127.0.0.1');
  }
});

it('tells once of a proxy that the operator seems to have forgotten', () => {
  const told: string[] = [];
  const address = createClientAddress(['10.0.0.1'], (proxy) => told.push(proxy));
  address(request('203.0.113.7', '198.51.100.1'));
  address(request('10.0.0.1', '198.51.100.1'));
  address(request('10.0.0.2'));
  expect(told).toEqual([]);
  address(request('10.0.0.2', '198.51.100.1'));
  address(request('10.0.0.3', '198.51.100.1'));
  expect(told).toEqual(['10.0.0.2']);
});

it('does not start with proxies that are none', () => {
  for (const proxy of ['example.com', '10.0.0.0/99', 'everyone']) {
    expect(() => createClientAddress([proxy])).toThrow(ConfigError);
  }
});

it('counts the network of an IPv6 address, and an IPv4 address as itself', () => {
  const same = ['2001:db8:1:2::1', '2001:db8:1:2:ffff::9', '2001:DB8:1:2:0:0:0:3'].map(
    addressGroup,
  );
  expect(new Set(same)).toEqual(new Set(['2001:db8:1:2::/64']));
  expect(addressGroup('2001:db8:1:3::1')).not.toBe(same[0]);
  expect(addressGroup('203.0.113.7')).toBe('203.0.113.7');
});
