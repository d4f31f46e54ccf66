const TIMELINE_QUERY = `# The newest private posts that you share a boundary with.
query Timeline {
  viewer {
    handle
    boundaries {
      name
      node
    }
  }
  timeline(first: 20) {
    edges {
      node {
        author {
          handle
        }
        text
        createdAt
        boundaries {
          name
        }
      }
    }
    pageInfo {
      hasNextPage
    }
  }
}
`;

const PAGING_QUERY = `# Two posts, and where the next page begins: ask again with it as $after.
query Page($after: String) {
  timeline(first: 2, after: $after) {
    edges {
      node {
        text
      }
    }
    pageInfo {
      hasNextPage
      endCursor
    }
  }
}
`;

const PEOPLE_QUERY = `# A person of whom you may read something, your communities, and what has a word in it.
query People {
  actor(actor: "sakura.test") {
    did
    boundaries {
      boundary {
        name
      }
      postCount
    }
    posts(first: 3) {
      edges {
        node {
          text
          replyCount
        }
      }
    }
  }
  boundaries {
    uri
    membership {
      isOpen
    }
  }
  search(text: "steel", first: 3) {
    edges {
      node {
        text
      }
    }
  }
}
`;

const LIVE_QUERY = `# What happens to your timeline, as it happens.
subscription Live {
  posts {
    __typename
    cursor
    ... on PostShown {
      post {
        author {
          handle
        }
        text
      }
    }
    ... on StreamClosed {
      reason
    }
  }
}
`;

/** What the editor opens with, each in a tab. */
export const EXAMPLES = [
  { query: TIMELINE_QUERY },
  { query: PAGING_QUERY, variables: '{ "after": null }' },
  { query: PEOPLE_QUERY },
  { query: LIVE_QUERY },
];

/** The timeline in short, for the front page. */
export const SHORT_TIMELINE_QUERY = `query Timeline {
  timeline(first: 20) {
    edges {
      node { author { handle } text boundaries { name } }
    }
    pageInfo { hasNextPage endCursor }
  }
}
`;

export const SHORT_AUTHOR_QUERY = `query AuthorFeed {
  authorFeed(actor: "sakura.test", first: 5) {
    edges {
      node { uri cid text }
    }
  }
}
`;
