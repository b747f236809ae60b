// The operations of the token service: its short paths that answer with JSON.
import {
  oauthError,
  testToken,
  testTokenQuery,
  tokenAnswer,
  tokenBody,
  verdict,
  verifyBody,
} from '../token-service/schemas.ts'
import { errorAnswers, form, json } from './operation.ts'
import type { Operation, OperationAnswer, Operations } from './operation.ts'

const tag = 'Token service'

const bodyKinds = {
  MALFORMED_JSON: { status: 400, message: 'It says that it is JSON, and is none.' },
  VALIDATION_ERROR: { status: 400, message: 'A parameter is wrong, unknown, absent or twice.' },
  UNSUPPORTED_MEDIA_TYPE: { status: 415, message: 'Neither a form nor JSON, or compressed.' },
  PAYLOAD_TOO_LARGE: { status: 413, message: 'The body is larger than 16 kB.' },
}

const verify: Operation = {
  tag,
  id: 'verify',
  summary: 'Whether a JWT of this issuer is good for a service, or what is wrong',
  body: { schema: verifyBody, types: [json, form] },
  answers: [
    { status: 200, description: 'What is to be said of the token.', schema: verdict },
    ...errorAnswers(Object.keys(bodyKinds), bodyKinds),
  ],
}

const refusal = (status: number, description: string): OperationAnswer => ({
  status,
  description,
  schema: oauthError,
})

const token: Operation = {
  tag,
  id: 'token',
  summary: 'A token for a service, or the tokens of a sign-in',
  credentials: ['clientSecret'],
  body: { schema: tokenBody, types: [form, json] },
  answers: [
    { status: 200, description: 'The token, or the tokens.', schema: tokenAnswer },
    refusal(400, '`invalid_request`, `invalid_grant`, `invalid_target`, `invalid_scope` and such.'),
    refusal(401, '`invalid_client`.'),
    refusal(413, 'The body is larger than 16 kB.'),
    refusal(415, 'Neither a form nor JSON.'),
  ],
}

const testTokenOperation: Operation = {
  tag,
  id: 'testToken',
  summary: 'A token for anybody, without a sign-in',
  query: testTokenQuery,
  answers: [
    { status: 200, description: 'The token.', schema: testToken },
    ...errorAnswers(['VALIDATION_ERROR'], bodyKinds),
  ],
}

export const tokenOperations = ({ hasTestToken }: { hasTestToken: boolean }): Operations => ({
  'POST /token': token,
  'POST /verify': verify,
  ...(hasTestToken && { 'GET /test-token': testTokenOperation }),
})
