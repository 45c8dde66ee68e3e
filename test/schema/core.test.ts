import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  type DefinitionNode,
  type GraphQLNamedType,
  isEnumType,
  isInputObjectType,
  isInterfaceType,
  isObjectType,
  isUnionType,
  Kind,
  parse,
  print,
} from 'graphql'
import { expect, test } from 'vitest'
import { schema } from '../../api/schema.ts'

const core = parse(readFileSync(join(import.meta.dirname, 'core.graphql'), 'utf8')).definitions

test('everything of the core is there, under its name and with its shape', () => {
  expect(core.length).toBeGreaterThan(100)
  expect(core.flatMap(missing)).toEqual([])
})

test('a core that lacks something would be noticed', () => {
  const [wrong] = parse(
    'type Member implements Node { id: ID!  nickname: String  email: String! }',
  ).definitions
  expect(wrong && missing(wrong)).toEqual(['Member.nickname: String', 'Member.email: String! (is String)'])
})

/** What our schema lacks of a definition. */
function missing(node: DefinitionNode): string[] {
  if (!('name' in node) || !node.name) return []
  const name = node.name.value
  const type = schema.getType(name)
  if (!type) return [name]
  switch (node.kind) {
    case Kind.OBJECT_TYPE_DEFINITION:
    case Kind.INTERFACE_TYPE_DEFINITION:
      return [...fields(type, node), ...interfaces(type, node)]
    case Kind.INPUT_OBJECT_TYPE_DEFINITION: {
      if (!isInputObjectType(type)) return [`input ${name}`]
      const isOneOf = node.directives?.some((directive) => directive.name.value === 'oneOf') ?? false
      const given = (node.fields ?? []).map((field) => {
        const fallback = field.defaultValue ? ` = ${print(field.defaultValue)}` : ''
        return `${field.name.value}: ${print(field.type)}${fallback}`
      })
      const ours = Object.values(type.getFields()).map(({ name, type, defaultValue }) =>
        defaultValue === undefined
          ? `${name}: ${type}`
          : `${name}: ${type} = ${JSON.stringify(defaultValue)}`,
      )
      const lacking = given.filter((field) => !ours.includes(field)).map((field) => `${name}.${field}`)
      return type.isOneOf === isOneOf ? lacking : [...lacking, `${name} @oneOf`]
    }
    case Kind.ENUM_TYPE_DEFINITION: {
      const ours = isEnumType(type) ? type.getValues().map((value) => value.name) : []
      const given = (node.values ?? []).map((value) => value.name.value)
      return given.filter((value) => !ours.includes(value)).map((value) => `${name}.${value}`)
    }
    case Kind.UNION_TYPE_DEFINITION: {
      const ours = isUnionType(type) ? type.getTypes().map((member) => member.name) : []
      const given = (node.types ?? []).map((member) => member.name.value)
      return given.filter((member) => !ours.includes(member)).map((member) => `${name} = ${member}`)
    }
    default:
      return []
  }
}

type Fields = Extract<DefinitionNode, { kind: Kind.OBJECT_TYPE_DEFINITION | Kind.INTERFACE_TYPE_DEFINITION }>

function fields(type: GraphQLNamedType, node: Fields): string[] {
  if (!isObjectType(type) && !isInterfaceType(type)) return [`type ${node.name.value}`]
  return (node.fields ?? []).flatMap((field) => {
    const told = `${type.name}.${field.name.value}`
    const ours = type.getFields()[field.name.value]
    if (!ours) return [`${told}: ${print(field.type)}`]
    const wanted = print(field.type)
    const wrong = String(ours.type) === wanted ? [] : [`${told}: ${wanted} (is ${ours.type})`]
    const args = (field.arguments ?? []).filter(
      (arg) => String(ours.args.find(({ name }) => name === arg.name.value)?.type) !== print(arg.type),
    )
    return [...wrong, ...args.map((arg) => `${told}(${print(arg)})`)]
  })
}

function interfaces(type: GraphQLNamedType, node: Fields): string[] {
  const ours = isObjectType(type) ? type.getInterfaces().map(({ name }) => name) : []
  return (node.interfaces ?? [])
    .map(({ name }) => name.value)
    .filter((name) => !ours.includes(name))
    .map((name) => `${type.name} implements ${name}`)
}
