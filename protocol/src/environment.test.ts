import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import {
  ConfigError,
  commaList,
  commonVariables,
  flag,
  httpUrl,
  parseEnvironment,
  refuseDevModeInPublic,
} from './environment.ts';

const variables = z.object({ ...commonVariables, URL_OF_IT: httpUrl, LIST: commaList.default([]) });

describe('environment', () => {
  it('takes what is given, and defaults for what is missing or empty', () => {
    const values = parseEnvironment(variables, {
      URL_OF_IT: 'https://node.example//',
      LIST: ' a, ,b',
      LOG_LEVEL: '',
      STRATOS_DEV_MODE: '0',
    });
    expect(values).toMatchObject({
      URL_OF_IT: 'https://node.example',
      LIST: ['a', 'b'],
      LOG_LEVEL: 'info',
      STRATOS_DEV_MODE: false,
    });
  });

  it('names every variable that is wrong', () => {
    const read = () => parseEnvironment(variables, { LOG_LEVEL: 'loud', STRATOS_DEV_MODE: 'yes' });
    expect(read).toThrow(ConfigError);
    expect(read).toThrow(/LOG_LEVEL.*STRATOS_DEV_MODE: must be true, false, 1 or 0.*URL_OF_IT/);
  });

  it.each(['yes', 'TRUE', 'on', '2'])('does not take %s for a boolean', (value) => {
    expect(flag.safeParse(value).success).toBe(false);
  });

  it('keeps development shortcuts off public services, and plain http off all others', () => {
    expect(() => refuseDevModeInPublic(true, 'https://node.example', 'PUBLIC_URL')).toThrow(
      ConfigError,
    );
    expect(() => refuseDevModeInPublic(false, 'http://node.example', 'PUBLIC_URL')).toThrow(
      ConfigError,
    );
    refuseDevModeInPublic(true, 'http://localhost:3100', 'PUBLIC_URL');
    refuseDevModeInPublic(false, 'https://node.example', 'PUBLIC_URL');
  });
});
